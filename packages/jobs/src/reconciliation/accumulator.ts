/** Histories of a slice of persons, put together window by window. Holds at most one entry for each person and key. */

import { type KeyHistory, mergeHistories } from './replay.ts';

export interface PersonHistory {
  readonly personId: string;
  readonly keys: readonly KeyHistory[];
}

export class Accumulator {
  private readonly persons = new Map<string, Map<string, KeyHistory>>();

  add({ personId, keys }: PersonHistory): void {
    let known = this.persons.get(personId);
    if (!known) this.persons.set(personId, (known = new Map()));
    for (const history of keys) {
      const before = known.get(history.key);
      known.set(history.key, before ? mergeHistories(before, history) : history);
    }
  }

  get size(): number {
    return this.persons.size;
  }

  get personIds(): string[] {
    return [...this.persons.keys()];
  }

  /** Every key that any of the persons has a history of. */
  get keys(): string[] {
    const keys = new Set<string>();
    for (const known of this.persons.values()) for (const key of known.keys()) keys.add(key);
    return [...keys];
  }

  of(personId: string): Iterable<KeyHistory> {
    return this.persons.get(personId)?.values() ?? [];
  }
}
