/** Partition counters, as `cells.lua` keeps them: a nibble is outcome * 4 + activity, zeros are not counted. */

export type Tally = Record<'o1' | 'o2' | 'o3' | 'a1' | 'a2' | 'a3', number>;

export function emptyTally(): Tally {
  return { o1: 0, o2: 0, o3: 0, a1: 0, a2: 0, a3: 0 };
}

/** Adds a row of packed states; gives the number of partitions that have one. */
export function addStates(tally: Tally, states: Uint8Array): number {
  let known = 0;
  for (const byte of states) {
    for (const nibble of [byte >> 4, byte & 15]) {
      if (nibble === 0) continue;
      known++;
      const [outcome, activity] = [nibble >> 2, nibble & 3];
      if (outcome > 0) tally[`o${outcome}` as keyof Tally]++;
      if (activity > 0) tally[`a${activity}` as keyof Tally]++;
    }
  }
  return known;
}

export function unequal(a: Tally, b: Tally): (keyof Tally)[] {
  return (Object.keys(emptyTally()) as (keyof Tally)[]).filter((field) => a[field] !== b[field]);
}
