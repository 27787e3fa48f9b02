import { lookOf } from './status.ts';

/** Numbers as a bar of their shares; the words say the same to those who do not see it. */
export function Proportion({ of, total }: { of: Readonly<Record<string, number>>; total?: number }) {
  const parts = Object.entries(of).filter(([, n]) => n > 0);
  const sum = Math.max(
    total ?? 0,
    parts.reduce((n, [, one]) => n + one, 0),
  );
  const words = parts.map(([name, n]) => `${n.toLocaleString('en')} ${lookOf(name).word}`).join(', ');
  return (
    <div className="proportion" role="img" aria-label={words || 'nothing yet'} title={words}>
      {parts.map(([name, n]) => (
        <i key={name} data-tone={lookOf(name).tone} style={{ width: `${Math.max((100 * n) / sum, 1.5)}%` }} />
      ))}
    </div>
  );
}
