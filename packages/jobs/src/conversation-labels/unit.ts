/**
 * One unit: a day's affected conversations, written once each, as the source says now. The checkpoint tells how far an
 * earlier try came; whatever it was, rows of the unit that are there already came from an interrupted insert (or from a
 * foreign writer) and are deleted before anything is written, so a try can be cut off anywhere.
 */

import { type Checkpoint, type Day, type Logger, type Metadata } from '@skein/orchestrator';
import type pg from 'pg';
import { z } from 'zod';

import type { ClickHouse } from '../resources/clickhouse.ts';
import { copyToClickHouse } from './copy-stream.ts';
import { deleteByIds } from './deletion.ts';
import { LabelsDisagreeError } from './errors.ts';
import { type ConversationId, LABEL_COLUMNS, countUnitRows } from './label-sql.ts';
import { type Operation, ask, placeOf } from './operation.ts';
import { namesOf } from './place.ts';
import { copyRows, countUnitReasons, unitIds } from './source-sql.ts';

export interface Unit {
  readonly operation: Operation;
  readonly day: Day;
  readonly db: pg.Pool;
  readonly clickhouse: ClickHouse;
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly checkpoint: Pick<Checkpoint, 'load' | 'save'>;
  readonly timeoutMs: number;
  readonly runId: string;
  /** Where rows go: the labels, or the staging table of a swap. */
  readonly target: 'labels' | 'staging';
}

/** `inserting`: some of the unit's rows may be there; `verifying`: all of them should be. */
const UnitState = z.object({ state: z.enum(['inserting', 'verifying']), attempt: z.number().int() });
type UnitState = z.output<typeof UnitState>;

/** @throws LabelsDisagreeError when what is there afterwards is not what was written */
export async function writeUnit(unit: Unit): Promise<Metadata> {
  const saved = UnitState.safeParse(unit.checkpoint.load());
  const before = saved.success ? saved.data : undefined;
  const attempt = (before?.attempt ?? 0) + 1;
  // Without a checkpoint nothing was inserted, and the delete before has just been proven by counting.
  if (before !== undefined) await clearRemains(unit, before, attempt);

  await unit.checkpoint.save({ state: 'inserting', attempt });
  const rows = await insert(unit, attempt);
  await unit.checkpoint.save({ state: 'verifying', attempt });
  const there = await count(unit);
  if (there.rows !== rows || there.conversations !== rows) {
    throw new LabelsDisagreeError(
      `${unit.day} of customer ${unit.operation.customerId}: ${rows} rows were written, but ${there.rows} rows of ${there.conversations} conversations are there. ` +
        'The day is written anew when it is run again.',
    );
  }
  const [reasons] = await ask<Record<string, number>>(
    unit.db,
    countUnitReasons(unit.operation.id, unit.operation.state.selection),
    [unit.operation.customerId, unit.day],
  );
  const { affected = 0, ...skippedBy } = reasons ?? {};
  return {
    rows,
    rows_affected: affected,
    skipped: Object.fromEntries(Object.entries(skippedBy).filter(([, n]) => n > 0)),
    attempt,
  };
}

async function clearRemains(unit: Unit, before: UnitState, attempt: number): Promise<void> {
  const there = await count(unit);
  if (there.rows === 0) return;
  unit.log.warn('Rows of this day are there already; they are deleted before it is written.', {
    rows: there.rows,
    day: unit.day,
    earlier_state: before.state,
  });
  const conversations = await ask<ConversationId>(unit.db, unitIds(unit.operation.id), [unit.day]);
  const names = namesOf(placeOf(unit.operation));
  const table =
    unit.target === 'staging' ? { sql: names.staging, name: `skein_label_staging_${unit.operation.id}` } : undefined;
  await deleteByIds(
    {
      clickhouse: unit.clickhouse,
      place: placeOf(unit.operation),
      timeoutMs: unit.timeoutMs,
      signal: unit.signal,
      log: unit.log,
      attempt: `${unit.day}:${attempt}:${unit.runId}`,
      skip: false,
    },
    conversations,
    table,
  );
  const left = await count(unit);
  if (left.rows > 0)
    throw new LabelsDisagreeError(
      `${left.rows} rows of ${unit.day} are left after their delete; nothing was inserted.`,
    );
}

async function insert(
  { operation, day, db, clickhouse, signal, target, runId }: Unit,
  attempt: number,
): Promise<number> {
  const { selection, clockMs, cluster } = operation.state;
  const names = namesOf(placeOf(operation));
  return copyToClickHouse({
    db,
    clickhouse,
    sql: copyRows(operation.id, { selection, unit: true, withClock: true }),
    customerId: operation.customerId,
    clockMs,
    unit: day,
    table: target === 'staging' ? names.stagingAll : names.all,
    columns: LABEL_COLUMNS,
    settings: {
      // New for each try: a server that remembers blocks must not take a re-insert for a retry and drop it.
      insert_deduplication_token: `${runId}:${operation.id}:${day}:${attempt}`,
      ...(cluster === null ? {} : { distributed_foreground_insert: 1 as const }),
    },
    signal,
  });
}

async function count({
  operation,
  day,
  clickhouse,
  signal,
  target,
}: Unit): Promise<{ rows: number; conversations: number }> {
  const place = placeOf(operation);
  const names = namesOf(place);
  const { sql, params } = countUnitRows(place, day, target === 'staging' ? names.stagingAll : names.all);
  const [found] = await clickhouse.rows<{ rows: string; conversations: string }>(sql, { params, signal });
  return { rows: Number(found?.rows ?? 0), conversations: Number(found?.conversations ?? 0) };
}
