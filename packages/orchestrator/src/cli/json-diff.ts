/** What changed between two JSON values, path by path, for people who look before they write. Pure. */

import type { Json } from '../definitions/json.ts';

export interface JsonChange {
  /** Such as `per_team.7.day`; empty for the whole. */
  readonly path: string;
  /** Undefined: there was none. */
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

export function diffJson(before: Json | undefined, after: Json | undefined, path = ''): JsonChange[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (!isObject(before) || !isObject(after)) return [{ path, before, after }];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key) => diffJson(before[key], after[key], path === '' ? key : `${path}.${key}`));
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
