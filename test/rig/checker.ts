/**
 * The judge. It reads nothing but the history, which the target side wrote, and the ledger as it is at the end, and
 * knows the right answer of the workload. Pure; it is tested by histories with one violation planted in each.
 */

import type { Entry } from './history.ts';

export interface LedgerRun {
  readonly id: string;
  readonly status: string;
  readonly endReason: string | undefined;
  readonly cause: string;
  /** Its tasks settle partition by partition, so a partition that is settled may be done again by the task's next attempt. */
  readonly fanOut?: boolean;
  /** Of each partition: its outcome, and the epoch that the attempt that committed it wrote into its facts. */
  readonly partitions: readonly { readonly key: string; readonly outcome: string | null; readonly epoch: number }[];
}

export interface Ledger {
  readonly runs: readonly LedgerRun[];
  /** By sensor. */
  readonly cursors: Readonly<Record<string, number>>;
  /** What must be nothing when all is quiet: leases, slots, claims, bells. */
  readonly remains: Readonly<Record<string, number>>;
  /** Rows whose counters differ from a recount of their states. */
  readonly miscounted: readonly string[];
}

export interface Expectation {
  /** What each sensor's feed holds, in all. */
  readonly feed: Readonly<Record<string, readonly string[]>>;
  /** At once, by history. */
  readonly maxActive?: number;
  /**
   * Whoever is given no core for so long in the middle of something cannot stop by itself before its lease ends; then
   * another may begin beside it, and epochs fence it off. Default: nobody is.
   */
  readonly stallMs?: number;
  /** Where a process may be stopped in the middle of an effect, a stale one may reach the target, which refuses it. */
  readonly staleAllowed?: boolean;
  /** A Redis that forgot its last writes may give away again what a worker still has; epochs fence that one off. */
  readonly forgetful?: boolean;
  readonly endsAllowed?: readonly string[];
  /** What lies in the systems that effects were left in, where they were. */
  readonly effects?: readonly Found[];
}

/** An effect as a reader finds it. */
export interface Found {
  readonly sink: string;
  /** `run|key`. */
  readonly id: string;
  /** Of the attempts that left it, one for each copy. */
  readonly epochs: readonly number[];
}

export type Rule =
  | 'lost request'
  | 'not requested'
  | 'requested twice'
  | 'not made'
  | 'committed twice'
  | 'commit without effect'
  | 'stale commit'
  | 'epochs not monotonic'
  | 'stale effect'
  | 'two at once'
  | 'over the limit'
  | 'ended run changed'
  | 'wrong end'
  | 'cursor'
  | 'effect missing'
  | 'effect twice'
  | 'effect of another'
  | 'leak'
  | 'miscounted';

export interface Violation {
  readonly rule: Rule;
  readonly detail: string;
}

const ENDED = new Set(['SUCCESS', 'FAILURE', 'CANCELED']);

export function check(history: readonly Entry[], ledger: Ledger, expected: Expectation): Violation[] {
  return [
    ...feed(ledger, expected),
    ...(expected.forgetful ? [] : acknowledged(history, ledger)),
    ...commits(history, ledger, expected),
    ...order(history, expected),
    ...ends(history, ledger, expected),
    ...(expected.effects ? left(ledger, expected.effects) : []),
    ...quiet(ledger),
  ];
}

/** Completeness: each item of each feed was asked for by exactly one run, and the cursor stands at its end. */
function* feed(ledger: Ledger, expected: Expectation): Iterable<Violation> {
  for (const [sensor, keys] of Object.entries(expected.feed)) {
    const asked = new Map<string, string[]>();
    for (const run of ledger.runs.filter((one) => one.cause.startsWith(`sensor:${sensor}:`)))
      for (const { key } of run.partitions) asked.set(key, [...(asked.get(key) ?? []), run.id]);
    for (const key of keys) {
      const runs = asked.get(key) ?? [];
      if (runs.length === 0) yield { rule: 'not requested', detail: `${key} of ${sensor}` };
      if (runs.length > 1) yield { rule: 'requested twice', detail: `${key} by ${runs.join(' and ')}` };
    }
    if (ledger.cursors[sensor] !== keys.length)
      yield { rule: 'cursor', detail: `of ${sensor}: ${ledger.cursors[sensor]}, not ${keys.length}` };
  }
}

function* acknowledged(history: readonly Entry[], ledger: Ledger): Iterable<Violation> {
  const known = new Set(ledger.runs.map((run) => run.id));
  for (const entry of history)
    if (entry.kind === 'acknowledged' && !known.has(entry.run)) yield { rule: 'lost request', detail: entry.run };
}

/** What the ledger says was made was made by the attempt that it names, and by none after it. */
function* commits(history: readonly Entry[], ledger: Ledger, expected: Expectation): Iterable<Violation> {
  const effects = new Map<string, number[]>();
  for (const entry of history) {
    if (entry.kind !== 'effect' || !entry.accepted) continue;
    const what = `${entry.run}|${entry.key}`;
    effects.set(what, [...(effects.get(what) ?? []), entry.epoch]);
  }
  const made = new Map<string, string>();
  for (const run of ledger.runs) {
    for (const { key, outcome, epoch } of run.partitions) {
      if (run.status === 'SUCCESS' && outcome === null) yield { rule: 'not made', detail: `${key} of run ${run.id}` };
      if (outcome !== 'materialized') continue;
      const epochs = effects.get(`${run.id}|${key}`) ?? [];
      // A task whose settlements were forgotten goes on without them: its partitions are made, their facts are lost.
      const forgotten = expected.forgetful === true && run.fanOut === true && Number.isNaN(epoch) && epochs.length > 0;
      if (!epochs.includes(epoch) && !forgotten)
        yield { rule: 'commit without effect', detail: `${key} of ${run.id} by ${epoch}` };
      const newest = Math.max(...epochs);
      if (newest > epoch && !run.fanOut)
        yield { rule: 'stale commit', detail: `${key} of ${run.id}: ${epoch} committed, ${newest} was at work` };
      const other = made.get(`${run.cause.split(':')[1]}|${key}`);
      if (other !== undefined && run.cause.startsWith('sensor:'))
        yield { rule: 'committed twice', detail: `${key} by ${other} and ${run.id}` };
      made.set(`${run.cause.split(':')[1]}|${key}`, run.id);
    }
  }
}

type Inside = Extract<Entry, { readonly kind: 'enter' | 'effect' | 'leave' }>;

const saidOf = ({ run, attempt, epoch, pid, atMs }: Inside) =>
  `attempt ${attempt} of ${run} (epoch ${epoch}, process ${pid}, at ${Math.round(atMs)} ms)`;

/** Between the beginning of one and what the other did. A stall is told when it is over. */
const hasStalled = (history: readonly Entry[], one: Inside, other: Inside, stallMs = Infinity) =>
  history.some(
    (entry) =>
      entry.kind === 'stalled' &&
      entry.pid === one.pid &&
      entry.ms >= stallMs &&
      entry.atMs > one.atMs &&
      entry.atMs - entry.ms < other.atMs,
  );

/** Along the target's own numbering: epochs only grow, one at a time at each partition, never too many in all. */
function* order(history: readonly Entry[], expected: Expectation): Iterable<Violation> {
  const highest = new Map<string, number>();
  const inside = new Map<string, Inside>();
  for (const entry of history) {
    if (entry.kind === 'death') for (const [id, one] of inside) if (one.pid === entry.pid) inside.delete(id);
    if (entry.kind !== 'enter' && entry.kind !== 'effect' && entry.kind !== 'leave') continue;
    const id = `${entry.run}|${entry.key}|${entry.epoch}|${entry.pid}`;
    const what = `${entry.run}|${entry.key}`;
    if (entry.kind === 'effect') {
      const began = inside.get(id) ?? entry;
      if (
        !entry.accepted &&
        !(expected.staleAllowed || expected.forgetful || hasStalled(history, began, entry, expected.stallMs))
      )
        yield { rule: 'stale effect', detail: `${entry.key} of ${entry.run} by ${entry.epoch}` };
      if (entry.accepted && entry.epoch < (highest.get(what) ?? 0))
        yield { rule: 'epochs not monotonic', detail: `${what}: ${entry.epoch} after ${highest.get(what)}` };
      if (entry.accepted) highest.set(what, entry.epoch);
    }
    if (entry.kind === 'leave') inside.delete(id);
    if (entry.kind !== 'enter') continue;
    if (!expected.staleAllowed && !expected.forgetful)
      for (const one of inside.values())
        if (one.key === entry.key && !hasStalled(history, one, entry, expected.stallMs))
          yield { rule: 'two at once', detail: `${entry.key}: ${saidOf(entry)} beside ${saidOf(one)}` };
    inside.set(id, entry);
    if (inside.size > (expected.maxActive ?? Infinity))
      yield { rule: 'over the limit', detail: `${inside.size} at ${entry.seq}` };
  }
}

/** A run that has ended is what it was seen as, for ever. */
function* ends(history: readonly Entry[], ledger: Ledger, expected: Expectation): Iterable<Violation> {
  const seen = new Map<string, string>();
  for (const entry of history) {
    if (entry.kind !== 'ended' || expected.forgetful) continue;
    const before = seen.get(entry.run);
    if (before !== undefined && before !== entry.status)
      yield { rule: 'ended run changed', detail: `${entry.run}: ${before}, then ${entry.status}` };
    seen.set(entry.run, entry.status);
  }
  for (const run of ledger.runs) {
    const before = seen.get(run.id);
    if (before !== undefined && before !== run.status)
      yield { rule: 'ended run changed', detail: `${run.id}: seen as ${before}, is ${run.status}` };
    if (!ENDED.has(run.status)) yield { rule: 'not made', detail: `run ${run.id} is ${run.status}` };
    else if (run.status !== 'SUCCESS' && !(expected.endsAllowed ?? []).includes(run.endReason ?? ''))
      yield { rule: 'wrong end', detail: `${run.id}: ${run.status}, ${run.endReason}` };
  }
}

/** Kafka's promise is at least once: a send that was not acknowledged is sent again, whoever has it already. */
const MANY_COPIES = new Set(['kafka']);
/** An object has no fence: a write that was held up in the network may come after a newer one, with the same contents. */
const UNFENCED = new Set(['s3']);

/** What was committed lies in its system, by the attempt that committed it, once each attempt; and nothing else does. */
function* left(ledger: Ledger, effects: readonly Found[]): Iterable<Violation> {
  const there = new Map(effects.map((effect) => [effect.id, effect]));
  for (const run of ledger.runs)
    for (const { key, outcome, epoch } of run.partitions) {
      if (outcome !== 'materialized') continue;
      const effect = there.get(`${run.id}|${key}`);
      there.delete(`${run.id}|${key}`);
      const what = `${key} of ${run.id}`;
      if (effect === undefined) {
        yield { rule: 'effect missing', detail: what };
        continue;
      }
      const { sink, epochs } = effect;
      const where = `${what} in ${sink}: ${epochs.join(', ')}, committed ${epoch}`;
      const newest = Math.max(...epochs);
      if (!UNFENCED.has(sink) && newest < epoch) yield { rule: 'effect missing', detail: where };
      if (!UNFENCED.has(sink) && newest > epoch && !run.fanOut) yield { rule: 'effect of another', detail: where };
      if (!MANY_COPIES.has(sink) && new Set(epochs).size < epochs.length) yield { rule: 'effect twice', detail: where };
    }
  for (const { sink, id } of there.values()) yield { rule: 'effect of another', detail: `${id} in ${sink}` };
}

function* quiet(ledger: Ledger): Iterable<Violation> {
  for (const [what, count] of Object.entries(ledger.remains))
    if (count !== 0) yield { rule: 'leak', detail: `${count} ${what}` };
  for (const row of ledger.miscounted) yield { rule: 'miscounted', detail: row };
}
