/**
 * The rule book of differences, used by both modes. For each key of a person: the earliest `$set_once`, the newest
 * `$set` and the newest `$unset` are replayed in time order over ClickHouse's state; what comes out differently is a
 * change. Pure.
 */

import { equalJson, storableJson, storableText } from './json-text.ts';

/** `YYYY-MM-DD HH:MM:SS.ffffff`, UTC: sorts as text. */
export type Instant = string;

interface Assignment {
  /** Raw JSON. */
  readonly value: string;
  readonly at: Instant;
}

/** What the events say about one key of one person. */
export interface KeyHistory {
  readonly key: string;
  /** The newest. */
  readonly set: Assignment | undefined;
  /** The earliest. */
  readonly setOnce: Assignment | undefined;
  /** The newest. */
  readonly unsetAt: Instant | undefined;
  /** An event gave the key a number that ClickHouse cannot read: nothing can be said about it. */
  readonly unreadable: boolean;
}

type Operation = 'set' | 'set_once' | 'unset';

export interface Change {
  readonly key: string;
  /** The event operation that has the last word on the key. */
  readonly operation: Operation;
  /** Raw JSON; null for `unset`. */
  readonly value: string | null;
  readonly at: Instant;
  /** Whether ClickHouse's person has the key: a `set_once` of a key that was unset before replaces the old value. */
  readonly replaces: boolean;
}

export interface PersonDiff {
  readonly personId: string;
  /** Of the row in ClickHouse that the changes were found against. */
  readonly version: bigint;
  readonly changes: readonly Change[];
}

export interface ReplayOptions {
  /** Take in a `$set` of a key that the person lacks; otherwise someone may have removed it by hand. */
  readonly repairMissingKeys: boolean;
}

interface Event {
  readonly operation: Operation;
  readonly value: string | undefined;
  readonly at: Instant;
}

/** @param state raw JSON that ClickHouse's person has under the key; undefined when it lacks the key */
export function replayKey(state: string | undefined, history: KeyHistory, options: ReplayOptions): Change | undefined {
  if (history.unreadable) return undefined;
  const lacksKey = state === undefined;
  let value = state;
  let last: Event | undefined;
  for (const event of inTimeOrder(history)) {
    if (event.operation === 'set' && lacksKey && !options.repairMissingKeys) continue;
    if (event.operation === 'set_once' && value !== undefined) continue;
    value = event.value;
    last = event;
  }
  if (last === undefined) return undefined;
  const clean = value === undefined ? undefined : storableJson(value);
  if (clean === undefined ? lacksKey : !lacksKey && equalJson(clean, state)) return undefined;
  return {
    key: storableText(history.key),
    operation: last.operation,
    value: clean ?? null,
    at: last.at,
    replaces: !lacksKey,
  };
}

/** Events of the same instant: set_once, then set, then unset. */
function inTimeOrder({ set, setOnce, unsetAt }: KeyHistory): Event[] {
  const events: Event[] = [];
  if (setOnce) events.push({ operation: 'set_once', ...setOnce });
  if (set) events.push({ operation: 'set', ...set });
  if (unsetAt !== undefined) events.push({ operation: 'unset', value: undefined, at: unsetAt });
  // The sort is stable, so the order above decides ties.
  return events.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

/** All changes of a person, ordered by key. @param state of ClickHouse's person, by key */
export function replayPerson(
  state: (key: string) => string | undefined,
  histories: Iterable<KeyHistory>,
  options: ReplayOptions,
): Change[] {
  const changes: Change[] = [];
  for (const history of histories) {
    const change = replayKey(state(history.key), history, options);
    if (change) changes.push(change);
  }
  return changes.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** The history of a key over two spans of time; of equal instants the first span's value stays. */
export function mergeHistories(a: KeyHistory, b: KeyHistory): KeyHistory {
  return {
    key: a.key,
    set: pick(a.set, b.set, (x, y) => y.at > x.at),
    setOnce: pick(a.setOnce, b.setOnce, (x, y) => y.at < x.at),
    unsetAt: pick(a.unsetAt, b.unsetAt, (x, y) => y > x),
    unreadable: a.unreadable || b.unreadable,
  };
}

function pick<T>(a: T | undefined, b: T | undefined, replaces: (a: T, b: T) => boolean): T | undefined {
  if (a === undefined) return b;
  if (b === undefined) return a;
  return replaces(a, b) ? b : a;
}
