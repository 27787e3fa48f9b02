/**
 * What happens to a customer before its days are written: the lease, the places, the affected ids, what was there
 * before, and in `delete-insert` mode the one delete over the whole range. Every step is recorded in the operation, so
 * a worker that takes over goes on where the last one was.
 */

import { type Logger, RefusedError } from '@skein/orchestrator';
import type pg from 'pg';

import type { ClickHouse } from '../resources/clickhouse.ts';
import { countActiveCells } from './active-days.ts';
import { recordAffected, refreshStrays } from './affected.ts';
import type { LabelConversationsConfig } from './config.ts';
import { deleteAffected } from './deletion.ts';
import { countByUsecase } from './label-sql.ts';
import {
  type Before,
  type Mode,
  type Operation,
  type OperationState,
  newOperationId,
  placeOf,
  saveOperation,
} from './operation.ts';
import { type Site, type TableLayout, isSeparated, listProfiles, readLayout, sitesOf } from './profiles.ts';
import { prepareStaging } from './swap.ts';
import type { Window } from './windows.ts';

export interface Work {
  readonly db: pg.Pool;
  readonly clickhouse: ClickHouse;
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly config: LabelConversationsConfig;
  readonly runId: string;
  /** The sensor's runs: they mostly add, and copying a month for a few new rows would be waste. */
  readonly regular: boolean;
  phase<T>(name: string, work: () => Promise<T>): Promise<T>;
  event(name: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** More separate ranges than this would not fit into one statement. */
const MAX_WINDOWS = 100;

/** New operations of a customer, one for each ClickHouse database; nothing is written yet. */
export async function planOperations(
  work: Work,
  customerId: string,
  windows: readonly Window[],
  clockMs: number,
): Promise<Operation[]> {
  if (windows.length > MAX_WINDOWS) {
    throw new RefusedError(
      `The days of customer ${customerId} are ${windows.length} separate ranges; one run takes at most ${MAX_WINDOWS}. Run them in several.`,
    );
  }
  const sites = sitesOf(await listProfiles(work.db, customerId, work.log));
  const operations: Operation[] = [];
  for (const site of sites) {
    const layout = await readLayout(work.clickhouse, site.database, work.signal);
    const { selection, cluster } = work.config;
    const state: OperationState = {
      windows,
      selection,
      cluster,
      mode: chooseMode(work.config.mode ?? (work.regular ? 'delete-insert' : undefined), site, layout),
      database: site.database,
      profiles: site.profiles,
      hasDistributed: layout.hasDistributed,
      clockMs,
      stage: 'new',
      before: undefined,
      done: [],
    };
    operations.push({ id: newOperationId(), runId: work.runId, customerId, state });
  }
  return operations;
}

/** @throws RefusedError for a swap that cannot be safe */
function chooseMode(wanted: Mode | undefined, site: Site, layout: Pick<TableLayout, 'partitionKey'>): Mode {
  const separated = isSeparated(site, layout);
  if (wanted === 'swap' && !separated) {
    throw new RefusedError(
      `mode swap is not possible in ${site.database}: profiles of several customers lie there and the partition key (${layout.partitionKey || 'none'}) ` +
        'does not begin with customer_id, so a replaced partition would lose their rows. Use delete-insert.',
    );
  }
  return wanted ?? (separated ? 'swap' : 'delete-insert');
}

/** Brings an operation to the point where days can be written; gives the operation as it is then. */
export async function prepareOperation(work: Work, given: Operation, attempt: number): Promise<Operation> {
  let operation = given;
  const advance = async (state: Partial<OperationState>) => {
    operation = { ...operation, state: { ...operation.state, ...state } };
    await saveOperation(work.db, operation);
  };
  const facts = { customer_id: operation.customerId, database: operation.state.database, mode: operation.state.mode };

  if (operation.state.stage === 'new') {
    await saveOperation(work.db, operation);
    const counts = await work.phase('find affected conversations', () => recordAffected(work, operation));
    const before = await work.phase('look at the labels before', () => lookBefore(work, operation));
    await advance({ stage: 'recorded', before });
    work.event('labels_affected_recorded', { ...facts, ...counts, rows_before: before.rows });
  }
  if (operation.state.stage === 'recorded') {
    if (operation.state.mode === 'swap') {
      await prepareStaging({
        clickhouse: work.clickhouse,
        place: placeOf(operation),
        signal: work.signal,
      });
    } else {
      const deleted = await work.phase('delete', () =>
        deleteAffected({
          clickhouse: work.clickhouse,
          place: placeOf(operation),
          timeoutMs: work.config.mutation_timeout_seconds * 1_000,
          signal: work.signal,
          log: work.log,
          attempt: `plan${attempt}`,
          skip: work.config.skip_delete,
        }),
      );
      work.event('labels_deleted', { ...facts, ...deleted });
    }
    await advance({ stage: 'deleted' });
  }
  return operation;
}

async function lookBefore({ clickhouse, signal }: Work, operation: Operation): Promise<Before> {
  const place = placeOf(operation);
  await refreshStrays({ clickhouse, signal }, operation);
  const usecases = countByUsecase(place);
  const counts = await clickhouse.rows<{ usecase: string; rows: string }>(usecases.sql, {
    params: usecases.params,
    signal,
  });
  const active = countActiveCells(place);
  const [cells] = await clickhouse.rows<{ cells: string }>(active.sql, { params: active.params, signal });
  return {
    rows: counts.reduce((sum, count) => sum + Number(count.rows), 0),
    usecases: Object.fromEntries(counts.map((count) => [count.usecase, Number(count.rows)])),
    activeDays: Number(cells?.cells ?? 0),
  };
}
