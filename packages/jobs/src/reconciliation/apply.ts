/**
 * What a person's row in PostgreSQL becomes. Where ClickHouse and PostgreSQL have the same version, changes are applied
 * as they are; where not, by a three-way merge in which PostgreSQL wins: a key whose value there differs from the
 * version that the changes were found against is left alone. Pure; properties are JSON text.
 */

import { equalJson, joinMembers, splitMembers } from './json-text.ts';
import type { Change, Instant } from './replay.ts';

export interface PersonProperties {
  /** JSON objects as text; null where the column is null. */
  readonly properties: string | null;
  readonly lastUpdatedAt: string | null;
  readonly lastOperation: string | null;
}

export interface AppliedProperties {
  readonly properties: string;
  readonly lastUpdatedAt: string;
  readonly lastOperation: string;
}

/** Both versions are the same. Gives undefined when nothing changes. */
export function applyChanges(person: PersonProperties, changes: readonly Change[]): AppliedProperties | undefined {
  return edit(person, changes, (change, properties) => {
    if (change.operation === 'unset') return true;
    return change.replaces || change.operation === 'set' || !properties.has(change.key);
  });
}

/** The versions differ. @param base properties, as text, of the ClickHouse row that the changes were found against */
export function mergeChanges(
  person: PersonProperties,
  base: string,
  changes: readonly Change[],
): AppliedProperties | undefined {
  const baseMembers = splitMembers(base);
  return edit(person, changes, (change, properties) => {
    const theirs = properties.get(change.key);
    if (!sameOrBothMissing(baseMembers.get(change.key), theirs)) return false;
    if (change.operation === 'unset') return theirs !== undefined;
    if (change.operation === 'set_once' && !change.replaces) return theirs === undefined;
    return true;
  });
}

/** Missing and null count as the same. */
function sameOrBothMissing(a: string | undefined, b: string | undefined): boolean {
  return equalJson(a ?? 'null', b ?? 'null');
}

function edit(
  person: PersonProperties,
  changes: readonly Change[],
  takes: (change: Change, properties: ReadonlyMap<string, string>) => boolean,
): AppliedProperties | undefined {
  const properties = splitMembers(person.properties ?? '{}');
  const taken = changes.filter((change) => takes(change, properties));
  if (taken.length === 0) return undefined;
  const lastUpdatedAt = splitMembers(person.lastUpdatedAt ?? '{}');
  const lastOperation = splitMembers(person.lastOperation ?? '{}');
  for (const { key, operation, value, at } of taken) {
    if (value === null) {
      for (const map of [properties, lastUpdatedAt, lastOperation]) map.delete(key);
    } else {
      properties.set(key, value);
      lastUpdatedAt.set(key, `"${formatMetadataInstant(at)}"`);
      lastOperation.set(key, `"${operation}"`);
    }
  }
  return {
    properties: joinMembers(properties),
    lastUpdatedAt: joinMembers(lastUpdatedAt),
    lastOperation: joinMembers(lastOperation),
  };
}

const SECONDS_LENGTH = '2024-01-03T01:02:03'.length;
const NO_MICROSECONDS = /^\.?0*$/;

/** `2024-01-03T01:02:03+00:00`; microseconds, all six digits, only when there are any. */
export function formatMetadataInstant(at: Instant): string {
  const [seconds, fraction] = [at.slice(0, SECONDS_LENGTH).replace(' ', 'T'), at.slice(SECONDS_LENGTH)];
  return NO_MICROSECONDS.test(fraction)
    ? `${seconds}+00:00`
    : `${seconds}${fraction.padEnd('.000000'.length, '0')}+00:00`;
}
