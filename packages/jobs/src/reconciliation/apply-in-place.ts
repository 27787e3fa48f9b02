/**
 * The short way for most persons: their row still has the version that the changes were found against, so PostgreSQL
 * applies the changes where the row lies, in one statement a batch, and only the changes travel. By the rules of
 * `applyChanges`; whoever needs more than that (another version, a set_once of a key that is there, a row over the limit
 * of its size, a second change in one run) is not in the answer and is left to those who read the row first.
 */

import type pg from 'pg';

import type { Message } from '../resources/kafka.ts';
import { formatMetadataInstant } from './apply.ts';
import { pendingOperations } from './pending-operations.ts';
import { personMessage } from './person-message.ts';
import { APPLY_AND_BACK_UP_CHANGES, APPLY_CHANGES, type AppliedRow } from './postgres-sql.ts';
import type { PersonDiff } from './replay.ts';
import { tryStatement } from './try-statement.ts';

export interface ApplyTarget {
  readonly client: pg.ClientBase;
  readonly teamId: number;
  /** Backs up under this run; undefined for no backup. */
  readonly backupRunId: string | undefined;
}

/** Inside a transaction. @returns the message of every person that was updated, by person */
export async function applyInPlace(
  { client, teamId, backupRunId }: ApplyTarget,
  diffs: readonly PersonDiff[],
): Promise<ReadonlyMap<string, Message>> {
  const values = [teamId, ...columnsOf(diffs)];
  const tried = await tryStatement(client, () =>
    backupRunId === undefined
      ? client.query<AppliedRow>(APPLY_CHANGES, values)
      : client.query<AppliedRow>(APPLY_AND_BACK_UP_CHANGES, [...values, backupRunId]),
  );
  const messages = new Map<string, Message>();
  if (tried.refusal !== undefined) return messages;
  for (const row of tried.value.rows) {
    const message = personMessage({
      uuid: row.uuid,
      teamId,
      properties: row.properties,
      isIdentified: row.is_identified,
      createdAt: row.created_at,
      version: BigInt(row.version),
    });
    messages.set(row.uuid, message);
  }
  return messages;
}

/** One array for each parameter of the statement, $2 to $9. */
function columnsOf(diffs: readonly PersonDiff[]): string[][] {
  const columns: string[][] = [[], [], [], [], [], [], [], []];
  for (const { personId, version, changes } of diffs) {
    const assigned: string[] = [];
    const moments: string[] = [];
    const operations: string[] = [];
    const unset: string[] = [];
    const onces: string[] = [];
    for (const { key, operation, value, at, replaces } of changes) {
      if (value === null) unset.push(key);
      else {
        const name = JSON.stringify(key);
        assigned.push(`${name}:${value}`);
        moments.push(`${name}:"${formatMetadataInstant(at)}"`);
        operations.push(`${name}:"${operation}"`);
        if (operation === 'set_once' && !replaces) onces.push(key);
      }
    }
    const row = [
      personId,
      String(version),
      `{${assigned.join(',')}}`,
      `{${moments.join(',')}}`,
      `{${operations.join(',')}}`,
      arrayLiteral(unset),
      arrayLiteral(onces),
      pendingOperations(changes),
    ];
    row.forEach((text, column) => columns[column]?.push(text));
  }
  return columns;
}

/** PostgreSQL's text of an array of texts, which may differ in length from person to person. */
function arrayLiteral(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}
