/**
 * Finds a team's persons whose properties differ from what their events say, in either mode. Both modes hand the same
 * histories and the same state to the same rule book; they differ in how much is in memory at once.
 */

import { Accumulator } from './accumulator.ts';
import { formatMoment, windowAt, windowCount } from './config.ts';
import type { PersonReads } from './person-reads.ts';
import { type KeyHistory, type PersonDiff, type ReplayOptions, replayPerson } from './replay.ts';
import type { TeamLog } from './team-log.ts';

export interface DiffSearch extends ReplayOptions {
  readonly reads: PersonReads;
  readonly log: TeamLog;
  readonly signal: AbortSignal;
  readonly start: Date;
  /** The upper bound of events, taken once for a team. */
  readonly now: Date;
}

export interface WindowedSearch extends DiffSearch {
  readonly end: Date;
  readonly windowSeconds: number;
  readonly personBatchSize: number;
}

/** Non-windowed mode: persons with changes, in blocks as they come from the server. */
export async function* findDiffs(search: DiffSearch): AsyncGenerator<PersonDiff[]> {
  for await (const block of search.reads.candidates({ from: search.start, to: search.now }, search.repairMissingKeys)) {
    const diffs: PersonDiff[] = [];
    for (const { personId, version, keys, state } of block) {
      nameUnreadable(search.log, personId, keys);
      const changes = replayPerson((key) => state.get(key), keys, search);
      if (changes.length > 0) diffs.push({ personId, version, changes });
    }
    if (diffs.length > 0) yield diffs;
  }
}

export interface Slice {
  /** From 1. */
  readonly number: number;
  readonly diffs: PersonDiff[];
}

/** One slice of persons after the other; the next is read only when it is asked for. */
export async function* findDiffsInWindows(search: WindowedSearch): AsyncGenerator<Slice> {
  const { reads, log, start, now, windowSeconds, personBatchSize } = search;
  const affected = await findAffected(search);
  if (affected.size === 0) return;
  const slices = Math.ceil(affected.size / personBatchSize);
  const windows = windowCount(start, now, windowSeconds);
  log.startingWindows(slices, personBatchSize, windows, windowSeconds);
  const busy = await reads.busyWindows({ from: start, to: now }, windowSeconds);
  for (let number = 1; number <= slices; number++) {
    const ids = affected.slice((number - 1) * personBatchSize, number * personBatchSize);
    log.processingBatch(number, slices, ids.length);
    const histories = await collect(search, number, ids, busy, windows);
    const diffs = await compare(search, number, histories);
    log.yielding(number, diffs.length);
    yield { number, diffs };
  }
}

async function findAffected({ reads, log, start, end, now }: WindowedSearch) {
  const [from, to] = [formatMoment(start), formatMoment(end)];
  log.queryingAffected(from, to);
  try {
    const affected = await reads.affected({ from: start, to: end < now ? end : now });
    log.foundAffected(affected.size);
    return affected;
  } catch (error) {
    log.affectedFailed(from, to, error);
    throw error;
  }
}

/** Windows between two lines in the log. */
const LOG_EVERY = 10;

async function collect(
  search: WindowedSearch,
  number: number,
  ids: readonly string[],
  busy: ReadonlySet<number>,
  windows: number,
): Promise<Accumulator> {
  const { reads, log, start, now, windowSeconds } = search;
  const accumulator = new Accumulator();
  for (let i = 0; i < windows; i++) {
    search.signal.throwIfAborted();
    const window = windowAt(start, now, windowSeconds, i);
    // A window without any event of the team cannot hold one of these persons.
    if (busy.has(i)) {
      try {
        for await (const block of reads.histories(window, ids)) for (const person of block) accumulator.add(person);
      } catch (error) {
        log.windowFailed(number, i + 1, windows, formatMoment(window.from), formatMoment(window.to), error);
        log.collectionFailed(number, i, accumulator.size, error);
        throw error;
      }
    }
    if ((i + 1) % LOG_EVERY === 0 || i + 1 === windows) log.window(number, i + 1, windows, accumulator.size);
  }
  return accumulator;
}

async function compare(search: WindowedSearch, number: number, histories: Accumulator): Promise<PersonDiff[]> {
  const { reads, log } = search;
  log.comparing(number, histories.size);
  try {
    const ids = histories.personIds;
    const states = ids.length === 0 ? new Map<string, never>() : await reads.states(ids, histories.keys);
    const diffs: PersonDiff[] = [];
    for (const personId of ids) {
      const state = states.get(personId);
      if (!state) continue;
      nameUnreadable(log, personId, histories.of(personId));
      const changes = replayPerson((key) => state.members.get(key), histories.of(personId), search);
      if (changes.length > 0) diffs.push({ personId, version: state.version, changes });
    }
    return diffs;
  } catch (error) {
    log.comparisonFailed(number, histories.size, error);
    throw error;
  }
}

function nameUnreadable(log: TeamLog, personId: string, histories: Iterable<KeyHistory>): void {
  const keys: string[] = [];
  for (const history of histories) if (history.unreadable) keys.push(history.key);
  if (keys.length > 0) log.unreadable(personId, keys);
}
