/**
 * The delete before the write: every row of the affected conversations goes, wherever it lies, and nothing is written
 * before counting has shown that none is left on any replica. First what may still be under way is flushed; then one
 * mutation takes the windows, and others take the rows outside them by id. Done again after a crash it first waits for
 * what it submitted before.
 */

import type { Logger } from '@skein/orchestrator';

import type { ClickHouse } from '../resources/clickhouse.ts';
import { LabelsDisagreeError } from './errors.ts';
import {
  type ConversationId,
  MUTATION_IDS,
  type Statement,
  chunks,
  countAffectedHashes,
  countAffectedRows,
  countKnownRows,
  deleteConversations,
  deleteWindows,
  flushDistributed,
  selectStrays,
} from './label-sql.ts';
import { type Place, namesOf } from './place.ts';
import { type MutationWait, awaitMutation, pollMutations, submitMutation } from './wait-mutation.ts';

export interface Deletion {
  readonly clickhouse: ClickHouse;
  readonly place: Place;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Of this try: marks must not repeat, or a finished mutation would be taken for the new one. */
  readonly attempt: string;
  /** Nothing is submitted; rows that are left are an error. */
  readonly skip: boolean;
}

export interface Deleted {
  readonly rows: number;
  readonly strays: number;
  readonly mutations: number;
}

/** @throws MutationFailedError, LabelsDisagreeError when rows are left */
export async function deleteAffected(deletion: Deletion): Promise<Deleted> {
  const { clickhouse, place, signal, log } = deletion;
  await settleEarlier(deletion);
  if (place.hasDistributed) await clickhouse.command(flushDistributed(namesOf(place)), { signal });
  const known = await countRows(deletion, countKnownRows(place));
  const rows = known > 0 ? known : await countLeft(deletion);
  if (rows === 0) return { rows: 0, strays: 0, mutations: 0 };
  if (deletion.skip)
    throw new LabelsDisagreeError(
      `skip_delete is set, but ${rows} label rows of the affected conversations are still there in ${place.database}; nothing was inserted.`,
    );

  const strays = await ids(clickhouse, { sql: selectStrays(place), params: {} }, signal);
  const mark = (part: string) => `skein:${place.operation}:${deletion.attempt}:${part}`;
  const statements = [
    deleteWindows(place, mark('windows')),
    ...chunks(strays, MUTATION_IDS).map((chunk, i) => deleteConversations(place, chunk, mark(`ids${i}`))),
  ];
  log.info('Deleting label rows.', { rows, conversations_outside: strays.length, mutations: statements.length });
  for (const statement of statements)
    await submitMutation(
      waitOf(deletion, async () => (await countLeft(deletion)) === 0),
      statement,
    );
  const left = await countLeft(deletion);
  if (left > 0)
    throw new LabelsDisagreeError(
      `${left} label rows of the affected conversations are left in ${place.database} after the delete; nothing was inserted. Somebody else writes to the table.`,
    );
  return { rows, strays: strays.length, mutations: statements.length };
}

/** Deletes the rows of these conversations, in the labels or in a table of the operation's own. */
export async function deleteByIds(
  deletion: Deletion,
  conversations: readonly ConversationId[],
  table?: { readonly sql: string; readonly name: string },
): Promise<void> {
  const { place } = deletion;
  let i = 0;
  for (const chunk of chunks(conversations, MUTATION_IDS)) {
    const mark = `skein:${place.operation}:${deletion.attempt}:ids${i++}`;
    // A mutation that is pruned from the list at once is proven by the caller's count.
    const wait = { ...waitOf(deletion, async () => true), ...(table ? { table: table.name } : {}) };
    await submitMutation(wait, deleteConversations(place, chunk, mark, table?.sql));
  }
}

/** Mutations that an earlier try of this operation submitted: they are waited for, not submitted again. */
async function settleEarlier(deletion: Deletion): Promise<void> {
  const { place } = deletion;
  const { rows } = await pollMutations(deletion);
  const marks = new Set(
    rows
      .filter((row) => !row.is_done)
      .flatMap((row) =>
        [...row.command.matchAll(new RegExp(`'(skein:${place.operation}:[^']+)'`, 'g'))].map((match) => match[1] ?? ''),
      ),
  );
  for (const mark of marks)
    await awaitMutation(
      waitOf(deletion, async () => true),
      mark,
    );
}

/** Rows of the affected conversations on all replicas together; one that does not answer fails the query. */
async function countLeft(deletion: Deletion): Promise<number> {
  const atMost = await countRows(deletion, countAffectedHashes(deletion.place));
  return atMost === 0 ? 0 : countRows(deletion, countAffectedRows(deletion.place));
}

async function countRows(
  { clickhouse, signal }: Pick<Deletion, 'clickhouse' | 'signal'>,
  { sql, params }: Statement,
): Promise<number> {
  const counts = await clickhouse.rows<{ replica: number; rows: string }>(sql, { params, signal });
  return counts.reduce((sum, count) => sum + Number(count.rows), 0);
}

async function ids(clickhouse: ClickHouse, { sql, params }: Statement, signal: AbortSignal): Promise<ConversationId[]> {
  const found: ConversationId[] = [];
  for await (const block of clickhouse.stream<ConversationId>(sql, { params, signal })) found.push(...block);
  return found;
}

function waitOf({ clickhouse, place, timeoutMs, signal }: Deletion, provenGone: () => Promise<boolean>): MutationWait {
  return { clickhouse, place, timeoutMs, signal, provenGone };
}
