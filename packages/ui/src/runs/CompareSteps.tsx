import { type RunEvent, type RunWithPartitions, listRunEvents } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { Card } from '../parts/Page.tsx';
import { Read } from '../parts/States.tsx';
import { formatDuration } from '../parts/time.ts';
import { pairSteps, stepsOf, type StepPair } from './compare.ts';
import { attemptsOf } from './spans.ts';
import './compare.css';

const SHOWN = 60;
const EVENTS = 500;

const useEvents = (run: RunWithPartitions) => useApi(listRunEvents, { id: run.id, limit: EVENTS });

/** How long each step took in both runs, as bars beside each other. */
export function CompareSteps({ left, right }: { left: RunWithPartitions; right: RunWithPartitions }) {
  const [first, second] = [useEvents(left), useEvents(right)];
  const isCut = Boolean(first.data?.next ?? second.data?.next);
  return (
    <Card title="How long each step took" aside={isCut && <span className="dim small">first {EVENTS} events</span>}>
      <Read of={first}>
        {({ items }) => (
          <Read of={second}>{({ items: others }) => <Bars pairs={pairsOf(left, items, right, others)} />}</Read>
        )}
      </Read>
    </Card>
  );
}

function Bars({ pairs }: { pairs: readonly StepPair[] }) {
  const most = Math.max(1, ...pairs.flatMap(({ first, second }) => [first ?? 0, second ?? 0]));
  if (pairs.length === 0) return <p className="dim">Neither has a step that ended.</p>;
  return (
    <>
      <table className="compare-steps">
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col">First</th>
            <th scope="col">Second</th>
            <th scope="col">Difference</th>
          </tr>
        </thead>
        <tbody>
          {pairs.slice(0, SHOWN).map((pair) => (
            <tr key={`${pair.of} ${pair.name}`} data-part={pair.of !== '' || undefined}>
              <th scope="row">
                <bdi>{pair.name}</bdi>
              </th>
              <Took ms={pair.first} most={most} />
              <Took ms={pair.second} most={most} />
              <td className="num">{deltaOf(pair)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {pairs.length > SHOWN && <p className="dim small">and {pairs.length - SHOWN} more</p>}
    </>
  );
}

function Took({ ms, most }: { ms: number | undefined; most: number }) {
  if (ms === undefined) return <td className="dim">–</td>;
  return (
    <td>
      <i style={{ width: `${(100 * ms) / most}%` }} />
      <span className="num">{formatDuration(ms)}</span>
    </td>
  );
}

function deltaOf({ first, second }: StepPair): string {
  if (first === undefined) return 'only the second';
  if (second === undefined) return 'only the first';
  const ms = second - first;
  if (ms === 0) return 'the same';
  return `${ms > 0 ? '+' : '−'}${formatDuration(Math.abs(ms))}${shareOf(ms, first)}`;
}

/** A share up to twice as long, a factor beyond; of a few milliseconds neither says anything. */
function shareOf(ms: number, first: number): string {
  if (Math.abs(ms) < NOISE_MS || first < 1) return '';
  const factor = (first + ms) / first;
  return factor >= 2 ? `, ${Number(factor.toPrecision(2))} times as long` : `, ${Math.round(100 * (factor - 1))} %`;
}

const NOISE_MS = 20;

function pairsOf(
  left: RunWithPartitions,
  items: readonly RunEvent[],
  right: RunWithPartitions,
  others: readonly RunEvent[],
): StepPair[] {
  return pairSteps(ofRun(left, items), ofRun(right, others));
}

function ofRun(run: RunWithPartitions, events: readonly RunEvent[]) {
  const startedAt = run.started_at === null ? undefined : Date.parse(run.started_at);
  const endedAt = run.ended_at === null ? undefined : Date.parse(run.ended_at);
  const waited = startedAt === undefined ? undefined : startedAt - Date.parse(run.created_at);
  return stepsOf(waited, attemptsOf(events, { startedAt, endedAt }));
}
