/**
 * The short way for most persons: their row still has the version that the changes were found against, so PostgreSQL
 * applies the changes where the row lies, in one statement a batch, and only the changes travel. By the rules of
 * `applyChanges`; whoever needs more than that (another version, a set_once of a key that is there, a row over the limit
 * of its size, a second change in one run) is not in the answer and is left to those who read the row first.
 */

import type pg from 'pg';

import { formatMetadataInstant } from './apply.ts';
import { bigintArray, textArray, uuidArray } from './array-parameters.ts';
import { pendingOperations } from './pending-operations.ts';
import type { PublishedPerson } from './person-message.ts';
import { APPLY_AND_BACK_UP_CHANGES, APPLY_CHANGES, type AppliedRow } from './postgres-sql.ts';
import type { PersonDiff } from './replay.ts';

export interface ApplyTarget {
  readonly client: pg.ClientBase;
  readonly teamId: number;
  /** Backs up under this run; undefined for no backup. */
  readonly backupRunId: string | undefined;
}

/** A batch's differences with the statement's parameters $2 to $9, which are made while the batch before is written. */
export interface PreparedChanges {
  readonly diffs: readonly PersonDiff[];
  readonly parameters: readonly Buffer[];
}

/** Persons that were updated, by their ids. */
export type AppliedPersons = ReadonlyMap<string, PublishedPerson>;

export const NOBODY: AppliedPersons = new Map();

/** Inside a transaction. Its statement is sent at once. @throws what `refusalOf` knows when all have to go the long way */
export async function applyInPlace(
  { client, teamId, backupRunId }: ApplyTarget,
  { parameters }: PreparedChanges,
): Promise<AppliedPersons> {
  const values = [teamId, ...parameters];
  const { rows } = await (backupRunId === undefined
    ? client.query<AppliedRow>(APPLY_CHANGES, values)
    : client.query<AppliedRow>(APPLY_AND_BACK_UP_CHANGES, [...values, backupRunId]));
  const persons = new Map<string, PublishedPerson>();
  for (const { uuid, properties, version, is_identified: isIdentified, created_at: createdAt } of rows)
    persons.set(uuid, { uuid, teamId, properties, isIdentified, createdAt, version: BigInt(version) });
  return persons;
}

export function prepareChanges(diffs: readonly PersonDiff[]): PreparedChanges {
  const assigned: string[] = [];
  const moments: string[] = [];
  const operations: string[] = [];
  const unset: string[] = [];
  const onces: string[] = [];
  for (const { changes } of diffs) {
    let [values, times, kinds] = ['', '', ''];
    const gone: string[] = [];
    const once: string[] = [];
    for (const { key, operation, value, at, replaces } of changes) {
      if (value === null) {
        gone.push(key);
        continue;
      }
      const name = `${values === '' ? '' : ','}${JSON.stringify(key)}:`;
      values += name + value;
      times += `${name}"${formatMetadataInstant(at)}"`;
      kinds += `${name}"${operation}"`;
      if (operation === 'set_once' && !replaces) once.push(key);
    }
    assigned.push(`{${values}}`);
    moments.push(`{${times}}`);
    operations.push(`{${kinds}}`);
    unset.push(arrayLiteral(gone));
    onces.push(arrayLiteral(once));
  }
  const pending = diffs.map((diff) => pendingOperations(diff.changes));
  return {
    diffs,
    parameters: [
      uuidArray(diffs.map((diff) => diff.personId)),
      bigintArray(diffs.map((diff) => diff.version)),
      ...[assigned, moments, operations, unset, onces, pending].map(textArray),
    ],
  };
}

/** PostgreSQL's text of an array of texts, which may differ in length from person to person. */
function arrayLiteral(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}
