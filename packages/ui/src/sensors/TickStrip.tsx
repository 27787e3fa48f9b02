import type { Tick } from '../api/generated/client.ts';
import { useClock } from '../app/preferences.ts';
import { lookOf } from '../parts/status.ts';
import { formatTime } from '../parts/time.ts';

const HEIGHT = 34;
const SHOWN = 80;

/** The latest ticks as bars: height by duration, colour by decision. The table beside it says the same in words. */
export function TickStrip({ ticks }: { ticks: readonly Tick[] }) {
  const clock = useClock();
  const shown = ticks.slice(0, SHOWN).reverse();
  if (shown.length < 2) return null;
  const longest = Math.max(...shown.map((tick) => tick.duration_ms ?? 0), 1);
  return (
    <div style={{ padding: '8px 12px 4px', borderBottom: '1px solid var(--line-soft)' }} aria-hidden>
      <svg width="100%" height={HEIGHT} viewBox={`0 0 ${SHOWN * 10} ${HEIGHT}`} preserveAspectRatio="none">
        {shown.map((tick, i) => {
          const height = 5 + (HEIGHT - 5) * Math.sqrt((tick.duration_ms ?? 0) / longest);
          return (
            <rect
              key={tick.id}
              data-tone={lookOf(tick.decision).tone}
              x={(SHOWN - shown.length + i) * 10}
              y={HEIGHT - height}
              width={8}
              height={height}
              rx={1.5}
              fill="var(--tone-fill)"
            >
              <title>{`${formatTime(tick.started_at, clock)} ${tick.decision}`}</title>
            </rect>
          );
        })}
      </svg>
    </div>
  );
}
