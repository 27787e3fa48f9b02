/**
 * The end of a run: verification of everything that it wrote, then its own tables go and the customer is given back. An
 * operation that did not write all of its days keeps its ids, for the run that will; days that another operation had
 * left open and this one has written are struck off there.
 */

import type { Logger } from '@skein/orchestrator';
import type pg from 'pg';

import type { ClickHouse } from '../resources/clickhouse.ts';
import { leftOversOf } from './affected.ts';
import { drop } from './label-sql.ts';
import { type Operation, ask, dropOperation, loadOperation, markUnitsDone, openDays, placeOf } from './operation.ts';
import { namesOf } from './place.ts';
import { removeStaging } from './swap.ts';
import { type Verification, verify } from './verification.ts';
import { daysOf } from './windows.ts';

export interface Finish {
  readonly db: pg.Pool;
  readonly clickhouse: ClickHouse;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** Undefined when days are not written: there is nothing whole to verify. */
export async function finishOperation(finish: Finish, id: string): Promise<Verification | undefined> {
  const operation = await loadOperation(finish.db, id);
  const open = openDays(operation.state);
  if (open.length > 0) {
    finish.log.warn('Days of this run were not written; their ids are kept for the run that does them again.', {
      customer_id: operation.customerId,
      days: open.length,
      first: open[0] ?? '',
    });
    await dropScratch(finish, operation);
    return undefined;
  }
  const verification = await verify(finish, operation);
  await strikeOff(finish.db, finish.clickhouse, operation);
  await dropScratch(finish, operation);
  await dropOperation(finish.db, operation.id);
  return verification;
}

/** Tables in ClickHouse that only this operation reads. */
export async function dropScratch({ clickhouse }: Pick<Finish, 'clickhouse'>, operation: Operation): Promise<void> {
  const place = placeOf(operation);
  const names = namesOf(place);
  await clickhouse.command(drop(names.expected));
  await clickhouse.command(drop(names.strays));
  await clickhouse.command(drop(names.affected));
  if (operation.state.mode === 'swap') await removeStaging({ clickhouse, place });
}

async function strikeOff(db: pg.Pool, clickhouse: ClickHouse, operation: Operation): Promise<void> {
  for (const earlier of await leftOversOf(db, operation)) {
    await markUnitsDone(db, earlier.id, daysOf(operation.state.windows));
    if (openDays((await loadOperation(db, earlier.id)).state).length > 0) continue;
    await dropScratch({ clickhouse }, earlier);
    await dropOperation(db, earlier.id);
  }
}

/** What the regular labelling has done last, which the sensor reads: its cursor moves only over confirmed ranges. */
export async function confirmRegular(
  db: pg.Pool,
  customerId: string,
  runId: string,
  startMs: number,
  endMs: number,
): Promise<void> {
  await ask(
    db,
    `
    INSERT INTO skein_labels.regular_labelling (customer_id, range_start, range_end, run_id) VALUES ($1, $2, $3, $4)
    ON CONFLICT (customer_id) DO UPDATE
      SET range_start = excluded.range_start, range_end = excluded.range_end, run_id = excluded.run_id, finished_at = now()`,
    [customerId, new Date(startMs).toISOString(), new Date(endMs).toISOString(), runId],
  );
}

/** The last confirmed range of each customer; none where the labelling has never run. */
export async function lastRegularRanges(
  db: pg.Pool,
): Promise<ReadonlyMap<string, { readonly startMs: number; readonly endMs: number }>> {
  const [there] = await ask<{ there: boolean }>(
    db,
    `SELECT to_regclass('skein_labels.regular_labelling') IS NOT NULL AS there`,
    [],
  );
  if (!there?.there) return new Map();
  const rows = await ask<{ customer_id: string; range_start: Date; range_end: Date }>(
    db,
    'SELECT customer_id, range_start, range_end FROM skein_labels.regular_labelling',
    [],
  );
  return new Map(
    rows.map((row) => [row.customer_id, { startMs: row.range_start.getTime(), endMs: row.range_end.getTime() }]),
  );
}
