/**
 * What a restore makes of a person: from the state before the reconciliation (B), the state after it (A) and the current
 * one (C). Missing and null count as the same. Pure; maps are JSON text.
 *
 * - `full_overwrite`: B as it was.
 * - `restore_wins`: every key of B gets B's value; keys that only C has stay.
 * - `keep_newer`: only keys that nobody has changed since (C = A); those that the reconciliation had added go.
 */

import type { AppliedProperties, PersonProperties } from '../apply.ts';
import { equalJson, joinMembers, splitMembers } from '../json-text.ts';
import type { RestoreConfig } from './config.ts';

export type ConflictResolution = RestoreConfig['conflict_resolution'];

/** Undefined when nothing changes. @param after properties after the reconciliation */
export function restorePerson(
  current: PersonProperties,
  before: PersonProperties,
  after: string | null,
  resolution: ConflictResolution,
): AppliedProperties | undefined {
  const [b, a, c] = [before.properties, after, current.properties].map((text) => splitMembers(text ?? '{}'));
  if (!b || !a || !c) return undefined;
  if (resolution === 'full_overwrite') {
    if (equalJson(current.properties ?? '{}', before.properties ?? '{}')) return undefined;
    return {
      properties: before.properties ?? '{}',
      lastUpdatedAt: before.lastUpdatedAt ?? '{}',
      lastOperation: before.lastOperation ?? '{}',
    };
  }
  const keys = [...b.keys()].filter(
    (key) => !same(c.get(key), b.get(key)) && (resolution === 'restore_wins' || same(c.get(key), a.get(key))),
  );
  const added =
    resolution === 'restore_wins'
      ? []
      : [...a.keys()].filter((key) => !b.has(key) && c.has(key) && same(c.get(key), a.get(key)));
  if (keys.length + added.length === 0) return undefined;
  const maps = [
    { now: c, then: b },
    { now: splitMembers(current.lastUpdatedAt ?? '{}'), then: splitMembers(before.lastUpdatedAt ?? '{}') },
    { now: splitMembers(current.lastOperation ?? '{}'), then: splitMembers(before.lastOperation ?? '{}') },
  ];
  const [properties = '{}', lastUpdatedAt = '{}', lastOperation = '{}'] = maps.map(({ now, then }) => {
    for (const key of [...keys, ...added]) {
      const value = then.get(key);
      if (value === undefined) now.delete(key);
      else now.set(key, value);
    }
    return joinMembers(now);
  });
  return { properties, lastUpdatedAt, lastOperation };
}

function same(a: string | undefined, b: string | undefined): boolean {
  return equalJson(a ?? 'null', b ?? 'null');
}

/** What the restore does to a person, in the form of a backup's `pending_operations`. */
export function restoreOperations(current: string, restored: string, at: string): string {
  const [now, next] = [splitMembers(current), splitMembers(restored)];
  const items: string[] = [];
  const add = (key: string, value: string, operation: string) =>
    items.push(
      `{"key":${JSON.stringify(key)},"value":${value},"timestamp":${JSON.stringify(at)},"operation":"${operation}"}`,
    );
  for (const [key, value] of next) if (!equalJson(now.get(key) ?? '', value)) add(key, value, 'set');
  for (const key of now.keys()) if (!next.has(key)) add(key, 'null', 'unset');
  return `[${items.join(',')}]`;
}
