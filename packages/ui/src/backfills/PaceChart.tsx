import { type Backfill, type BackfillPace, getBackfillPace } from '../api/generated/client.ts';
import { useClock } from '../app/preferences.ts';
import { useApi } from '../api/use-api.ts';
import { Card } from '../parts/Page.tsx';
import { Read } from '../parts/States.tsx';
import { formatDuration, formatTime } from '../parts/time.ts';
import { useNow } from '../parts/use-now.ts';
import { type Bar, barsOf, isLive } from './pace.ts';
import './backfills.css';

const WIDTH = 1_000;
const HEIGHT = 120;
const KINDS = [
  ['succeeded', 'good', 'succeeded'],
  ['failed', 'bad', 'failed'],
  ['canceled', 'calm', 'cancelled'],
] as const;

/** Runs that ended, bar by bar, and how much of the whole was done by then as a line. */
export function PaceChart({ backfill }: { backfill: Backfill }) {
  const pace = useApi(getBackfillPace, { id: backfill.id });
  return (
    <Card title="Over time">
      <Read of={pace} lines={4}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="dim">None of its runs has ended yet.</p>
          ) : (
            <Chart backfill={backfill} pace={items} />
          )
        }
      </Read>
    </Card>
  );
}

function Chart({ backfill, pace }: { backfill: Backfill; pace: readonly BackfillPace[] }) {
  const clock = useClock();
  const now = useNow(isLive(backfill.status) ? 1_000 : 0);
  const from = Date.parse(backfill.created_at);
  const to = backfill.ended_at === null ? now : Date.parse(backfill.ended_at);
  const { minutes, bars } = barsOf(pace, from, to);
  const most = Math.max(1, ...bars.map(sizeOf));
  const whole = Math.max(1, backfill.total - backfill.passed, bars.at(-1)?.sum ?? 0);
  const step = WIDTH / bars.length;
  const y = (share: number) => HEIGHT * (1 - share);
  const line = bars.map((bar, i) => `${(i + 1) * step},${y(bar.sum / whole).toFixed(1)}`).join(' ');
  return (
    <figure className="pace">
      <figcaption className="row wrap small">
        {KINDS.map(([name, tone, word]) => (
          <span key={name} className="pace-key" data-tone={tone}>
            {word}
          </span>
        ))}
        <span className="pace-key" data-line>
          done of all, up to {whole.toLocaleString('en')}
        </span>
        <span className="grow" />
        <span className="dim num">
          a bar is {formatDuration(minutes * 60_000)}, the tallest {most.toLocaleString('en')} runs
        </span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden>
        {bars.map((bar, i) => (
          <Stack key={bar.from} bar={bar} x={i * step} width={Math.max(step * 0.85, 1)} most={most} />
        ))}
        <polyline points={`0,${HEIGHT} ${line}`} vectorEffect="non-scaling-stroke" />
      </svg>
      <div className="row small dim num">
        <span className="grow">{formatTime(from, clock)}</span>
        <span>{formatTime(to, clock)}</span>
      </div>
      <table className="visually-hidden">
        <caption>Runs that ended, by time</caption>
        <tbody>
          {bars
            .filter((bar) => sizeOf(bar) > 0)
            .map((bar) => (
              <tr key={bar.from}>
                <th scope="row">{formatTime(bar.from, clock)}</th>
                <td>
                  {bar.succeeded} succeeded, {bar.failed} failed, {bar.canceled} cancelled, {bar.sum} of {whole} done
                </td>
              </tr>
            ))}
        </tbody>
      </table>
    </figure>
  );
}

const sizeOf = ({ succeeded, failed, canceled }: Bar) => succeeded + failed + canceled;

function Stack({ bar, x, width, most }: { bar: Bar; x: number; width: number; most: number }) {
  let top = HEIGHT;
  return KINDS.map(([name, tone]) => {
    const height = (bar[name] / most) * HEIGHT;
    top -= height;
    return height > 0 && <rect key={name} data-tone={tone} x={x} y={top} width={width} height={height} />;
  });
}
