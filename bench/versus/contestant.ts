/** What both sides of the comparison are asked to do; each is started as its documentation says, on the same machine. */

export interface Contestant {
  /** Seconds from the launch of one empty run to its success, as the system itself recorded them. */
  emptyRun(): Promise<number>;
  /** Seconds until a backfill over this many empty partitions has ended, at most ten at once. */
  backfill(partitions: number): Promise<number>;
  /** Seconds that a tick took which asked for 100 runs, until all of them were written. */
  fanOut(): Promise<number>;
  /** Says of half of the 10,000 partitions that they are made. */
  fillPartitions(): Promise<void>;
  /** Seconds for the states of all 10,000, as the page of an asset asks for them. */
  partitionStates(): Promise<number>;
  /** Resident memory of all its processes, in bytes; databases apart. */
  memoryBytes(): number;
  stop(): Promise<void>;
}

export const TEAMS = 100;
const FIRST_DAY = '2024-01-01';
export const DAYS = 100;
/** Dagster's default of its run queue; Skein is given the same number. */
export const AT_ONCE = 10;

/** A day of the comparison by its number, 0 to 99. */
export function dayOf(number: number): string {
  return new Date(Date.parse(FIRST_DAY) + number * 86_400_000).toISOString().slice(0, 10);
}
