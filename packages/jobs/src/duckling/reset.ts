/**
 * Resetting a duckling: its lake's tables are dropped, the team's partitions are forgotten, and the sensors look at the
 * team anew. It refuses while a partition of the team is queued or running, since such a run could settle as done after
 * its rows are gone.
 */

import {
  ConflictError,
  type Json,
  type JsonObject,
  RefusedError,
  type SkeinClient,
  addDays,
  dayOf,
  daysBetween,
} from '@skein/orchestrator';

import type { Duckling } from '../resources/duckling-catalog.ts';
import type { Ducklings } from '../resources/ducklake-ducklings.ts';
import { teamDays } from '../team-days.ts';
import { DATASETS, type Dataset } from './dataset.ts';
import { dropTable } from './tables.ts';

export interface ResetResult {
  readonly tablesDropped: readonly string[];
  readonly partitionsForgotten: Readonly<Record<string, number>>;
  readonly sensorsReset: readonly string[];
}

export interface ResetRequest {
  readonly duckling: Duckling;
  readonly by: string;
  readonly now: Date;
  readonly signal: AbortSignal;
}

/** For the question before it. */
export function whatResetDoes({ team_id, db_name, db_host }: Duckling): string[] {
  return [
    `Reset the duckling of team ${team_id}:`,
    `  drop the tables posthog.events and posthog.persons in ${db_name} at ${db_host}, with every row in them;`,
    '  forget the states of the team’s partitions in duckling_events_backfill and duckling_persons_backfill;',
    '  let the four sensors look at the team anew, so that its whole history is exported again.',
    'Objects stay in the bucket until DuckLake’s own clean-up.',
  ];
}

const DATASET_LIST: readonly Dataset[] = Object.values(DATASETS);
const assetOf = (dataset: Dataset) => `duckling_${dataset.name}_backfill`;

/** @throws RefusedError when partitions of the team are queued or running; it says what has been done by then */
export async function resetDuckling(
  ducklings: Ducklings,
  client: SkeinClient,
  request: ResetRequest,
): Promise<ResetResult> {
  const { duckling, by, signal } = request;
  await refuseWhenActive(client, request, 'Nothing was changed.');
  const tablesDropped: string[] = [];
  for (const dataset of DATASET_LIST) {
    if (await dropTable(ducklings.lake(duckling), dataset, signal)) tablesDropped.push(dataset.table);
  }
  // What a sensor launched meanwhile may have registered before the drop, and would settle after the forgetting.
  await refuseWhenActive(
    client,
    request,
    'They began during the reset: the tables are dropped, but the states are kept.',
  );
  const partitionsForgotten: Record<string, number> = {};
  for (const dataset of DATASET_LIST) {
    partitionsForgotten[assetOf(dataset)] = await client.forgetPartitions(
      assetOf(dataset),
      { row: String(duckling.team_id) },
      by,
    );
  }
  const sensorsReset: string[] = [];
  for (const { name } of DATASET_LIST) {
    const sensors = [`duckling_${name}_daily_backfill_sensor`, `duckling_${name}_full_backfill_sensor`];
    for (const sensor of sensors) {
      await resetSensor(client, sensor, duckling.team_id, by);
      sensorsReset.push(sensor);
    }
  }
  return { tablesDropped, partitionsForgotten, sensorsReset };
}

async function refuseWhenActive(
  client: SkeinClient,
  { duckling, now }: ResetRequest,
  whatIsDone: string,
): Promise<void> {
  const keys = daysBetween(teamDays.columns.start, addDays(dayOf(now), 1)).map((day) =>
    teamDays.format({ id: duckling.team_id, day }),
  );
  for (const dataset of DATASET_LIST) {
    const states = await client.partitionStatus(assetOf(dataset), keys);
    const active = keys.filter((key) => (states.get(key)?.activity ?? 'idle') !== 'idle');
    if (active.length > 0) {
      throw new RefusedError(
        `${active.length} partitions of ${assetOf(dataset)} for team ${duckling.team_id} are queued or running (${active.slice(0, 5).join(', ')}${active.length > 5 ? ', …' : ''}). Disable the duckling (“skein ducklings edit --team-id ${duckling.team_id} --disable”), cancel them or wait for them, then reset. ${whatIsDone}`,
        { details: { active: active.slice(0, 100) } },
      );
    }
  }
}

/**
 * The reset begins a new generation of run keys, without which a day that was launched once would not be launched
 * again; then the other teams' progress is put back, unless a tick came in between, which then has begun anew.
 */
async function resetSensor(client: SkeinClient, sensor: string, teamId: number, by: string): Promise<void> {
  const reason = `reset of the duckling of team ${teamId}`;
  const { cursor: before } = await client.cursor(sensor);
  const { version } = await client.resetCursor(sensor, { by, reason });
  const kept = withoutTeam(before, teamId);
  if (kept === undefined) return;
  try {
    await client.setCursor(sensor, kept, { by, reason, ifVersion: version });
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
  }
}

/** The cursor of a full sensor without the team; undefined for one that has no teams. Pure. */
function withoutTeam(cursor: Json, teamId: number): JsonObject | undefined {
  if (typeof cursor !== 'object' || cursor === null || !('teams' in cursor)) return undefined;
  const { teams } = cursor as { teams?: JsonObject };
  const others = Object.fromEntries(Object.entries(teams ?? {}).filter(([id]) => id !== String(teamId)));
  return { ...(cursor as JsonObject), teams: others, complete: false };
}
