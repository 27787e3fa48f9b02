import type { Tick } from '../api/generated/client.ts';
import { Time } from '../parts/Time.tsx';
import './timeline.css';

const TONES: Readonly<Record<string, string>> = { error: 'bad', warn: 'warn', info: 'busy' };

/** The lines that ticks logged; of several ticks each line has its tick's time. */
export function TickLines({ ticks, none }: { ticks: readonly Tick[]; none: string }) {
  const lines = ticks.flatMap((tick) => tick.log.map((line, i) => ({ ...line, tick, key: `${tick.id} ${i}` })));
  if (lines.length === 0) return <p className="small dim">{none}</p>;
  return (
    <ol className={ticks.length > 1 ? 'tick-lines dated' : 'tick-lines'}>
      {lines.map(({ key, level, text, at, tick }) => (
        <li key={key}>
          <span className="dim num">{ticks.length > 1 ? <Time at={tick.started_at} /> : `+${at} ms`}</span>
          <span data-tone={TONES[level] ?? 'calm'} style={{ color: 'var(--tone)' }}>
            {level}
          </span>
          <span>{text}</span>
        </li>
      ))}
    </ol>
  );
}
