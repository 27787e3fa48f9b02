/** Id dimensions: what may stand before the last underscore of a composite key, or be the key of a dynamic asset. */

import { PartitionKeyInvalidError } from '../errors.ts';
import { MAX_EXPANDED_KEYS, checkKeyText } from './partitions.ts';

export interface IdType<T> {
  readonly grammar: string;
  /** @throws PartitionKeyInvalidError; `name` is the dimension's, for the message */
  parse(text: string, name: string): T;
  format(value: T): string;
  /** Ids from `first` to `last`, for ranges; undefined where ids have no order. */
  readonly range?: (first: T, last: T) => T[];
}

/** An id, or `<from>..<to>` where ids have an order. @throws PartitionKeyInvalidError */
export function expandIds<T>(type: IdType<T>, text: string, name: string): T[] {
  const dots = type.range ? text.indexOf('..') : -1;
  if (dots < 0 || !type.range) return [type.parse(text, name)];
  const ids = type.range(type.parse(text.slice(0, dots), name), type.parse(text.slice(dots + 2), name));
  if (ids.length > 0) return ids;
  throw new PartitionKeyInvalidError(`The range “${text}” is empty: its end lies before its start.`);
}

/** 1 … 2^53-1 in plain decimal digits: no sign, blank, underscore or leading zero. */
export const positiveInteger: IdType<number> = {
  grammar: 'a positive whole number',
  parse(text, name) {
    const value = Number(text);
    if (!/^[1-9]\d{0,15}$/.test(text) || !Number.isSafeInteger(value)) {
      throw new PartitionKeyInvalidError(`Invalid ${name} “${text.slice(0, 80)}”: write a positive whole number.`);
    }
    return value;
  },
  format: String,
  range(first, last) {
    // Looked at before anything is made of it: a typing error must not exhaust memory.
    if (last - first >= MAX_EXPANDED_KEYS) {
      throw new PartitionKeyInvalidError(
        `The range ${first}..${last} has more than ${MAX_EXPANDED_KEYS} ids; name fewer at once, or use “skein backfill”.`,
      );
    }
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
  },
};

/** Any text that every key may be. */
export const text: IdType<string> = {
  grammar: 'text without control characters',
  parse(value, name) {
    if (value === '') throw new PartitionKeyInvalidError(`Invalid ${name}: it is empty.`);
    checkKeyText(value);
    return value;
  },
  format: (value) => value,
};
