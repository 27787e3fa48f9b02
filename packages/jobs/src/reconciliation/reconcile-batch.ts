/**
 * The persons of a batch that were not changed where they lie: the rows are read, it is decided by the rules what each
 * becomes, and those that change are written; whose version moves meanwhile are read and decided again, three times in
 * all.
 */

import type pg from 'pg';

import { type PersonProperties, applyChanges, mergeChanges } from './apply.ts';
import type { AppliedPersons } from './apply-in-place.ts';
import { pendingOperations } from './pending-operations.ts';
import type { PublishedPerson } from './person-message.ts';
import { PERSONS_BY_UUID, type PersonRow } from './postgres-sql.ts';
import type { PersonDiff } from './replay.ts';
import { type PersonUpdate, updatePersons } from './update-persons.ts';

type SkipReason = 'no_changes' | 'not_found' | 'version_conflict' | 'too_large';

export interface BatchTarget {
  readonly client: pg.ClientBase;
  readonly teamId: number;
  /** Backs up under this run; undefined for no backup. */
  readonly backupRunId: string | undefined;
  readonly dryRun: boolean;
  /** Properties of the oldest ClickHouse row at or after each version, by person; persons without one are absent. */
  basesOf(
    persons: readonly { readonly personId: string; readonly version: bigint }[],
  ): Promise<ReadonlyMap<string, string>>;
}

export interface BatchResult {
  readonly updated: number;
  /** What a dry run would have updated. */
  readonly wouldUpdate: PersonDiff[];
  readonly skipped: { readonly personId: string; readonly reason: SkipReason }[];
  /** To be published when the batch is committed. */
  readonly published: PublishedPerson[];
  /** Rows that PostgreSQL had right already while ClickHouse was behind: published again. */
  readonly republished: number;
}

const MAX_ATTEMPTS = 3;

/** Inside a transaction, except for a dry run, which only reads. @param applied whom nothing is left to be done for */
export async function reconcileBatch(
  target: BatchTarget,
  diffs: readonly PersonDiff[],
  applied: AppliedPersons,
): Promise<BatchResult> {
  const result = {
    updated: applied.size,
    wouldUpdate: [] as PersonDiff[],
    skipped: [] as BatchResult['skipped'],
    published: [...applied.values()],
    republished: 0,
  };
  let open = applied.size === 0 ? diffs : diffs.filter((diff) => !applied.has(diff.personId));
  for (let attempt = 1; open.length > 0 && attempt <= MAX_ATTEMPTS; attempt++) {
    const decided = await decide(target, open);
    const changed: Decision[] = [];
    for (const decision of decided) {
      if (decision.update) changed.push(decision);
      else {
        result.skipped.push({ personId: decision.diff.personId, reason: decision.reason ?? 'no_changes' });
        if (decision.heals && !target.dryRun) {
          result.published.push(decision.heals);
          result.republished++;
        }
      }
    }
    if (target.dryRun) {
      result.wouldUpdate.push(...changed.map((decision) => decision.diff));
      return result;
    }
    const written = await updatePersons(
      target,
      changed.flatMap((decision) => decision.update ?? []),
    );
    const moved: PersonDiff[] = [];
    for (const { diff, update, after } of changed) {
      if (!update || !after) continue;
      if (written.updated.has(update.id)) {
        result.updated++;
        result.published.push(after);
      } else if (written.tooLarge.has(update.id)) result.skipped.push({ personId: diff.personId, reason: 'too_large' });
      else moved.push(diff);
    }
    open = moved;
  }
  for (const diff of open) result.skipped.push({ personId: diff.personId, reason: 'version_conflict' });
  return result;
}

interface Decision {
  readonly diff: PersonDiff;
  readonly update?: PersonUpdate;
  readonly after?: PublishedPerson;
  readonly reason?: SkipReason;
  /** PostgreSQL's row as it is, for a ClickHouse that is behind. */
  readonly heals?: PublishedPerson;
}

async function decide(target: BatchTarget, diffs: readonly PersonDiff[]): Promise<Decision[]> {
  const { rows } = await target.client.query<PersonRow>(PERSONS_BY_UUID, [
    target.teamId,
    diffs.map((diff) => diff.personId),
  ]);
  const byUuid = new Map(rows.map((row) => [row.uuid, row]));
  const apart = diffs.filter((diff) => {
    const row = byUuid.get(diff.personId);
    return row !== undefined && BigInt(row.version) !== diff.version;
  });
  const bases = apart.length === 0 ? new Map<string, string>() : await target.basesOf(apart);
  return diffs.map((diff) => decideOne(target.teamId, diff, byUuid.get(diff.personId), bases.get(diff.personId)));
}

function decideOne(teamId: number, diff: PersonDiff, row: PersonRow | undefined, base: string | undefined): Decision {
  if (!row) return { diff, reason: 'not_found' };
  const version = BigInt(row.version);
  const person: PersonProperties = {
    properties: row.properties,
    lastUpdatedAt: row.last_updated_at,
    lastOperation: row.last_operation,
  };
  const same = version === diff.version;
  if (!same && base === undefined) return { diff, reason: 'not_found' };
  const applied = same ? applyChanges(person, diff.changes) : mergeChanges(person, base ?? '{}', diff.changes);
  const personWith = (properties: string, of: bigint): PublishedPerson => ({
    uuid: row.uuid,
    teamId,
    properties,
    isIdentified: row.is_identified,
    createdAt: row.created_at,
    version: of,
  });
  if (!applied) {
    return {
      diff,
      reason: 'no_changes',
      ...(version > diff.version ? { heals: personWith(row.properties, version) } : {}),
    };
  }
  // ClickHouse shows the greatest version, so where it is ahead of PostgreSQL one more than PostgreSQL's is not enough.
  const versionAfter = (version > diff.version ? version : diff.version) + 1n;
  return {
    diff,
    update: { id: row.id, version, versionAfter, pendingOperations: pendingOperations(diff.changes), ...applied },
    after: personWith(applied.properties, versionAfter),
  };
}
