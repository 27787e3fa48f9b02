/** Static partitions: a fixed list of keys; and the single partition of an asset that has none. */

import { PartitionKeyInvalidError } from '../errors.ts';
import { type PartitionsDefinition, SINGLE_COLUMN, checkKeyText } from './partitions.ts';

export interface StaticPartitions<K extends string> extends PartitionsDefinition<K> {
  readonly kind: 'static' | 'single';
  readonly keys: readonly K[];
}

export function staticPartitions<const K extends string>(keys: readonly K[]): StaticPartitions<K> {
  keys.forEach(checkKeyText);
  const known = new Set<string>(keys);
  const parse = (key: string): K => {
    checkKeyText(key);
    if (!known.has(key)) {
      throw new PartitionKeyInvalidError(
        `Invalid partition key “${key}”: it is none of ${keys.slice(0, 20).join(', ')}.`,
      );
    }
    return key as K;
  };
  return {
    kind: 'static',
    keys,
    grammar: `one of ${keys.slice(0, 20).join(', ')}`,
    parse,
    format: (value) => value,
    cell: (value) => ({ row: value, column: 0 }),
    at: (cell) => (cell.column === 0 && known.has(cell.row) ? (cell.row as K) : undefined),
    columns: SINGLE_COLUMN,
    expand: (range) => [parse(range)],
    rows: (ids) => [parse(ids)],
  };
}

/** The key of the only partition of an asset without partitions. */
export const SINGLE_KEY = 'all';

/** For assets that are not partitioned. */
export function singlePartition(): StaticPartitions<typeof SINGLE_KEY> {
  return { ...staticPartitions([SINGLE_KEY]), kind: 'single', grammar: `the single key ${SINGLE_KEY}` };
}
