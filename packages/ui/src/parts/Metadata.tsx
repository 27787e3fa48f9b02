import { AndMore } from './AndMore.tsx';

const SHOWN = 8;

/** What a job recorded, in a line: numbers and short words first; the rest is in the JSON. */
export function Metadata({ of }: { of: Readonly<Record<string, unknown>> }) {
  const simple = Object.entries(of).filter(([, value]) => ['number', 'string', 'boolean'].includes(typeof value));
  if (simple.length === 0) return <span className="dim">–</span>;
  return (
    <span className="row wrap" style={{ gap: '2px 12px' }}>
      {simple.slice(0, SHOWN).map(([name, value]) => (
        <span key={name}>
          <span className="dim">{name} </span>
          <bdi className="num">{typeof value === 'number' ? value.toLocaleString('en') : cut(String(value))}</bdi>
        </span>
      ))}
      <AndMore of={simple.length} shown={SHOWN} />
    </span>
  );
}

const MAX = 48;
const cut = (text: string) => (text.length > MAX ? `…${text.slice(-MAX)}` : text);
