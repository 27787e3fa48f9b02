/**
 * `duckling_events_full_backfill_sensor` and `duckling_persons_full_backfill_sensor`: every minute, the history of each
 * enabled duckling from its first day to the day before yesterday, once a UTC day. Teams take turns, one day each, so
 * that a long history starves nobody, and no more than a bounded number of runs is in flight.
 */

import {
  DATASETS,
  type DatasetName,
  clickhouse,
  ducklingEventsBackfillJob,
  ducklingPersonsBackfillJob,
  ducklings,
  earliestDay,
  teamDays,
} from '@skein/jobs';
import {
  type Day,
  type EvaluateContext,
  type Job,
  type Opened,
  type PartitionReader,
  type RunRequest,
  addDays,
  dayOf,
  daysBetween,
  defineSensor,
  request,
  skip,
} from '@skein/orchestrator';

import {
  FullBackfillCursor,
  type TeamProgress,
  beginPass,
  beginTeam,
  endTick,
  keepTeams,
  lastDayOfPass,
  remainingDays,
} from './duckling-full-cursor.ts';
import { decideLaunch } from './duckling-launch-policy.ts';

/** Of one tick, and of all ticks together in flight. */
const MAX_REQUESTS = 100;
const MAX_IN_FLIGHT = 100;
/** Partition states read in one tick, so that a tick over centuries stays short. */
const MAX_SCANNED = 20_000;
const MAX_LOOKUPS = 25;
/** What a tick keeps of its time for the commit. */
const RESERVE_MS = 5_000;
const CHUNK_DAYS = 100;

const RESOURCES = { clickhouse, ducklings };
type Context = EvaluateContext<FullBackfillCursor, Opened<typeof RESOURCES>>;

export const ducklingEventsFullBackfillSensor = fullSensor('events', ducklingEventsBackfillJob);
export const ducklingPersonsFullBackfillSensor = fullSensor('persons', ducklingPersonsBackfillJob);

function fullSensor(dataset: DatasetName, job: Job) {
  return defineSensor({
    name: `duckling_${dataset}_full_backfill_sensor`,
    description: `Once a UTC day: every day of ${DATASETS[dataset].name} of each enabled duckling that is not in its lake yet, team by team in turn.`,
    job,
    every: '60s',
    cursor: FullBackfillCursor,
    resources: RESOURCES,
    evaluate: (context) => evaluate(dataset, job, context),
  });
}

async function evaluate(dataset: DatasetName, job: Job, context: Context) {
  const { now, runs, resources } = context;
  const today = dayOf(now);
  const through = lastDayOfPass(today);
  const teamIds = (await resources.ducklings.catalog.list({ enabledOnly: true })).map((row) => row.team_id);
  if (teamIds.length === 0) return skip<FullBackfillCursor>('no duckling is enabled');

  const cursor = keepTeams(beginPass(context.cursor, today), teamIds);
  const unknown = teamIds.filter((id) => cursor.teams[id] === undefined);
  if (cursor.complete && unknown.length === 0)
    return skip(`${cursor.position}; the next pass begins after midnight UTC`, { cursor, lag: 0 });

  const inFlight = await runs.countActive({ job: job.name, tags: { duckling_backfill_type: 'full' } });
  const room = Math.min(MAX_REQUESTS, MAX_IN_FLIGHT - inFlight);
  if (room <= 0)
    return skip<FullBackfillCursor>(`${inFlight} runs are in flight, which is the limit; ${cursor.position}`, {
      lag: remainingDays(cursor, through),
    });

  const looked = await lookUpFirstDays(dataset, unknown, through, context);
  const teams = { ...cursor.teams, ...looked };
  const swept = await sweep(teams, cursor.next_team, room, through, context);
  const next = endTick(
    {
      ...cursor,
      complete: false,
      teams: swept.teams,
      next_team: swept.nextTeam,
      given_up: cursor.given_up + swept.givenUp,
    },
    teamIds.every((id) => teams[id] !== undefined),
    through,
  );
  const after = { cursor: next, lag: remainingDays(next, through) };
  return swept.requests.length > 0 ? request(swept.requests, after) : skip(next.position, after);
}

async function lookUpFirstDays(
  dataset: DatasetName,
  teamIds: readonly number[],
  through: Day,
  { resources, signal, budget }: Context,
) {
  const found: Record<string, TeamProgress> = {};
  for (const id of teamIds.slice(0, MAX_LOOKUPS)) {
    if (budget.remainingMs() < RESERVE_MS) break;
    const range = { from: resources.ducklings.earliestDay, to: through };
    found[id] = beginTeam(
      range.from > through ? null : await earliestDay(resources.clickhouse, dataset, id, range, signal),
      through,
    );
  }
  return found;
}

interface Sweep {
  readonly teams: Record<string, TeamProgress>;
  readonly requests: readonly RunRequest[];
  readonly nextTeam: number | null;
  readonly givenUp: number;
}

/** One day of each team in turn, until there is no room, no work or no time. */
async function sweep(
  teams: Readonly<Record<string, TeamProgress>>,
  nextTeam: number | null,
  room: number,
  through: Day,
  context: Context,
): Promise<Sweep> {
  const lanes = rotated(Object.keys(teams).map(Number), nextTeam)
    .map((id) => createLane(id, teams[id] ?? beginTeam(null, through), through, context.partitions, context.now))
    .filter((lane) => !lane.isDone());
  const requests: RunRequest[] = [];
  const mayGoOn = () =>
    lanes.reduce((sum, lane) => sum + lane.scanned(), 0) < MAX_SCANNED && context.budget.remainingMs() > RESERVE_MS;
  let turn = 0;
  while (requests.length < room && lanes.some((lane) => !lane.isDone()) && mayGoOn()) {
    const lane = lanes[turn++ % lanes.length];
    const key = lane?.isDone() === false ? await lane.next() : undefined;
    if (key !== undefined)
      requests.push({ partitions: [key], tags: { duckling_backfill_type: 'full' }, priority: -10 });
  }
  return {
    teams: { ...teams, ...Object.fromEntries(lanes.map((lane) => [lane.id, lane.progress()])) },
    requests,
    nextTeam: lanes[turn % Math.max(1, lanes.length)]?.id ?? null,
    givenUp: lanes.reduce((sum, lane) => sum + lane.givenUp(), 0),
  };
}

/** In order of team ids, beginning with the one whose turn it is. */
function rotated(ids: readonly number[], first: number | null): number[] {
  const sorted = [...ids].sort((a, b) => a - b);
  const at =
    first === null
      ? 0
      : Math.max(
          0,
          sorted.findIndex((id) => id >= first),
        );
  return [...sorted.slice(at), ...sorted.slice(0, at)];
}

/** One team's way through its days. */
function createLane(id: number, begun: TeamProgress, through: Day, partitions: PartitionReader, now: Date) {
  let { next_day: day, resume_day: resume } = begun;
  let ahead: { readonly key: string; readonly day: Day; readonly decision: ReturnType<typeof decideLaunch> }[] = [];
  let scanned = 0;
  let givenUp = 0;

  const readAhead = async (from: Day) => {
    const last = addDays(from, CHUNK_DAYS - 1);
    const days = daysBetween(from, last < through ? last : through);
    const keys = days.map((one) => teamDays.format({ id, day: one }));
    const states = await partitions.status(keys);
    const open = keys.filter((key) => decideLaunch(states.get(key), undefined, now) === 'launch');
    const lastRuns = open.length > 0 ? await partitions.lastRuns(open) : new Map<string, never>();
    scanned += keys.length;
    ahead = days.map((one, i) => ({
      key: keys[i] ?? '',
      day: one,
      decision: decideLaunch(states.get(keys[i] ?? ''), lastRuns.get(keys[i] ?? ''), now),
    }));
  };

  return {
    id,
    isDone: () => day === null,
    scanned: () => scanned,
    givenUp: () => givenUp,
    progress: (): TeamProgress => ({ first_day: begun.first_day, next_day: day, resume_day: resume }),
    /** The next key to launch of those that were read ahead; undefined when there is none among them. */
    async next(): Promise<string | undefined> {
      if (day === null) return undefined;
      if (ahead.length === 0) await readAhead(day);
      for (let item = ahead.shift(); item !== undefined; item = ahead.shift()) {
        day = item.day < through ? addDays(item.day, 1) : null;
        if (item.decision === 'given_up') givenUp++;
        else if (item.decision !== 'done') resume ??= item.day;
        if (item.decision === 'launch') return item.key;
      }
      return undefined;
    },
  };
}
