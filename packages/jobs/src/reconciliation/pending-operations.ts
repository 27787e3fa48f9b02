/** What was asked for, as the backup keeps it: sets first, then set_onces, then unsets. */

import { formatMetadataInstant } from './apply.ts';
import type { Change } from './replay.ts';

const ORDER = { set: 0, set_once: 1, unset: 2 } as const;

/** A JSON array as text. */
export function pendingOperations(changes: readonly Change[]): string {
  const ordered = changes.length === 1 ? changes : [...changes].sort((a, b) => ORDER[a.operation] - ORDER[b.operation]);
  const items = ordered.map(
    ({ key, value, at, operation }) =>
      `{"key":${JSON.stringify(key)},"value":${value ?? 'null'},"timestamp":"${formatMetadataInstant(at)}","operation":"${operation}"}`,
  );
  return `[${items.join(',')}]`;
}
