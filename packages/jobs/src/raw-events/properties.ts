/**
 * The properties of an event: those that the payload's `data` brings, and those that the mapping itself writes, which
 * win over data of the same name. Both come in order, so that they are merged by one walk; most payloads bring theirs
 * sorted, because the collector writes them so. Pure.
 */

import { stringify } from './go-text.ts';
import type { JsonRecord, JsonValue } from './payload.ts';

/** What the mapping writes itself, sorted. */
export const OWN_NAMES = [
  'billablePromptTokens',
  'billable_unit',
  'billable_value',
  'byok',
  'createdAt',
  'dataInterface',
  'endedAt',
  'methodName',
  'providerName',
  'referenceCost',
  'referenceId',
  'referenceType',
  'resolvedMethodName',
  'resolvedModelName',
  'resolvedProviderName',
  'serviceName',
  'startedAt',
  'targetItemId',
  'targetItemType',
  'updatedAt',
] as const;

/** One by one those of `OWN_NAMES`; where one is undefined, data of that name stays. */
export type OwnTexts = readonly (string | undefined)[] & { readonly length: (typeof OWN_NAMES)['length'] };

/** The text of a key of `data`: of an object with a key `value`, that one. undefined when there is no such key. */
export function textOf(data: JsonRecord | null, key: string): string | undefined {
  const value = data?.[key];
  return value === undefined ? undefined : textOfValue(value);
}

/** Every property once, by name: name, text, name, text, … */
export function mergeProperties(data: JsonRecord | null, own: OwnTexts): string[] {
  const merged: string[] = [];
  let next = 0;
  for (const key of sortedKeys(data)) {
    next = pushOwn(merged, own, next, key);
    const isOwn = OWN_NAMES[next] === key;
    merged.push(key, (isOwn ? own[next] : undefined) ?? textOfValue((data as JsonRecord)[key] as JsonValue));
    if (isOwn) next++;
  }
  pushOwn(merged, own, next, undefined);
  return merged;
}

/** Those from `next` on that come before a key; gives the one after them. */
function pushOwn(merged: string[], own: OwnTexts, next: number, before: string | undefined): number {
  let i = next;
  for (let name = OWN_NAMES[i]; name !== undefined && (before === undefined || name < before); name = OWN_NAMES[++i]) {
    const text = own[i];
    if (text !== undefined) merged.push(name, text);
  }
  return i;
}

function sortedKeys(data: JsonRecord | null): string[] {
  const keys: string[] = [];
  let isSorted = true;
  let last = '';
  for (const key in data) {
    if (key < last) isSorted = false;
    last = key;
    keys.push(key);
  }
  return isSorted ? keys : keys.sort();
}

export function textOfValue(value: JsonValue): string {
  return stringify(unwrapped(value));
}

function unwrapped(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return value.value === undefined ? value : value.value;
}
