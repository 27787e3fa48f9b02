/**
 * The one short transaction that makes a day appear: old rows out, the new file in, counted, committed. Readers see the
 * old day or the new one, never an empty or a doubled one.
 */

import { FencedError } from '@skein/orchestrator';

import type { Lake, LakeTransaction } from '../resources/ducklake.ts';
import type { Dataset } from './dataset.ts';
import { RowCountMismatchError } from './errors.ts';
import type { TeamDay } from '../team-days.ts';
import { dayRange, parseObjectName } from './partitions.ts';
import { LIVE_FILES, SET_COMMIT_MESSAGE, addFileSql, countDaySql, deleteDaySql, likePrefix } from './sql.ts';

export interface Registration {
  readonly dataset: Dataset;
  readonly partition: TeamDay;
  /** Undefined when the day has no rows: then there is no file. */
  readonly url: string | undefined;
  /** Rows of the file, counted by ClickHouse. */
  readonly rows: number;
  readonly cleanup: boolean;
  readonly runId: string;
  readonly attempt: number;
  /** Where the day's objects lie, with its closing slash. */
  readonly folderUrl: string;
}

export interface Registered {
  readonly rowsDeleted: number;
  /** Rows of the day that stay beside the new ones, when nothing is cleaned up. */
  readonly rowsKept: number;
  readonly rowsInLake: number;
  readonly snapshot: number;
}

/** Deletes of a day whose file others have registered several times; each ends one registration. */
const MAX_DELETES = 5;

/** @throws RowCountMismatchError, FencedError, ServiceError; then nothing of it is in the lake */
export async function registerDay(lake: Lake, registration: Registration, signal: AbortSignal): Promise<Registered> {
  const { dataset, partition } = registration;
  for (let deletes = 0; ; deletes++) {
    const { value, snapshot } = await lake.write(signal, (tx) => replaceDay(tx, registration, deletes < MAX_DELETES));
    if (value !== 'registered twice') return { ...value, snapshot };
    // Inside one transaction further deletes see nothing, so each is one of its own; readers see the day until the last.
    await lake.write(signal, (tx) => deleteDay(tx, dataset, partition));
  }
}

async function replaceDay(
  tx: LakeTransaction,
  registration: Registration,
  mayHeal: boolean,
): Promise<Omit<Registered, 'snapshot'> | 'registered twice'> {
  const { dataset, partition, url, rows, cleanup, runId, attempt, folderUrl } = registration;
  const live = (await tx.catalog.rows<{ path: string }>(LIVE_FILES, [likePrefix(folderUrl)])).map(({ path }) => path);
  refuseWhenFenced(live, registration);
  if (cleanup && mayHeal && new Set(live).size < live.length) return 'registered twice';
  const rowsDeleted = cleanup ? await deleteDay(tx, dataset, partition) : 0;
  const rowsKept = cleanup ? 0 : await countDay(tx, dataset, partition);
  if (url !== undefined) await tx.rows(addFileSql(dataset), [url]);
  const rowsInLake = await countDay(tx, dataset, partition);
  if (rowsInLake !== rows + rowsKept) {
    throw new RowCountMismatchError(
      `Team ${partition.id}, ${partition.day}: the lake would hold ${rowsInLake} ${dataset.name}, but ClickHouse exported ${rows}${rowsKept > 0 ? ` beside ${rowsKept} kept ones` : ''}. Nothing was committed.`,
      { details: { rows_in_lake: rowsInLake, rows_exported: rows, rows_kept: rowsKept } },
    );
  }
  await tx.rows(SET_COMMIT_MESSAGE, [
    `${dataset.name} ${partition.id}_${partition.day}, run ${runId}, attempt ${attempt}`,
  ]);
  return { rowsDeleted, rowsKept, rowsInLake };
}

async function deleteDay(tx: LakeTransaction, dataset: Dataset, partition: TeamDay): Promise<number> {
  const [row] = await tx.rows<{ Count: string }>(deleteDaySql(dataset), lakeRange(partition));
  return Number(row?.Count ?? 0);
}

export async function countDay(
  db: Pick<LakeTransaction, 'rows'>,
  dataset: Dataset,
  partition: TeamDay,
): Promise<number> {
  const [row] = await db.rows<{ rows: string }>(countDaySql(dataset), lakeRange(partition));
  return Number(row?.rows ?? 0);
}

function lakeRange({ id, day }: TeamDay): [bigint, string, string] {
  const { from, to } = dayRange(day);
  return [BigInt(id), `${from}+00`, `${to}+00`];
}

/** An attempt that was given up and comes back finds the file of a later one and stops. */
function refuseWhenFenced(live: readonly string[], { runId, attempt }: Registration): void {
  const later = live.map(parseObjectName).find((name) => name?.runId === runId && name.attempt > attempt);
  if (!later) return;
  throw new FencedError(
    `Attempt ${attempt} of run ${runId} comes too late: attempt ${later.attempt} has registered its file.`,
  );
}
