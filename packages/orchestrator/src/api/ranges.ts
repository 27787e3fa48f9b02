/** Ranges of partitions and ids in requests, expanded only as far as the request may go. */

import type { Asset } from '../definitions/asset.ts';
import { PartitionKeyInvalidError } from '../definitions/errors.ts';
import { MAX_EXPANDED_KEYS } from '../definitions/partitions/partitions.ts';

/** @throws PartitionKeyInvalidError when a range is malformed, or all of them together are too many */
export function expandRanges(asset: Asset, ranges: readonly string[], limit: number): string[] {
  const keys: string[] = [];
  for (const range of ranges) {
    checkIdRange(range);
    for (const key of asset.partitions.expand(range)) keys.push(key);
    if (keys.length > limit) {
      throw new PartitionKeyInvalidError(`These are more than ${limit} partitions: make a backfill of them.`);
    }
  }
  return keys;
}

/** Looks at `<from>..<to>` before anything is made of it: a number with sixteen digits is quickly typed. */
export function checkIdRange(text: string): void {
  const [, from, to] = /^(\d{1,16})\.\.(\d{1,16})(?!\d)/.exec(text) ?? [];
  if (from !== undefined && to !== undefined && Number(to) - Number(from) >= MAX_EXPANDED_KEYS) {
    throw new PartitionKeyInvalidError(`The range “${text.slice(0, 80)}” has more than ${MAX_EXPANDED_KEYS} ids.`);
  }
}
