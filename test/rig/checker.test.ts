/** The judge itself: a sound history passes, and each planted violation is found by its name. */

import { type Expectation, type Found, type Ledger, type Rule, check } from './checker.ts';
import type { Entry } from './history.ts';
import { createRandom } from './random.ts';

const deed = (seq: number, kind: 'enter' | 'effect' | 'leave', epoch: number, more: object = {}): Entry => ({
  ...{ seq, atMs: seq, kind, run: 'r1', key: '1_2024-01-01', attempt: epoch, epoch, pid: epoch, accepted: true },
  ...more,
});

const SOUND: Entry[] = [
  { seq: 1, atMs: 1, kind: 'acknowledged', run: 'r1' },
  deed(2, 'enter', 1),
  deed(3, 'effect', 1),
  { seq: 4, atMs: 4, kind: 'death', pid: 1 },
  deed(5, 'enter', 2),
  deed(6, 'effect', 2),
  deed(7, 'leave', 2),
  { seq: 8, atMs: 8, kind: 'ended', run: 'r1', status: 'SUCCESS' },
];
const RUN = {
  id: 'r1',
  status: 'SUCCESS',
  endReason: undefined,
  cause: 'sensor:feed:feed.1',
  partitions: [{ key: '1_2024-01-01', outcome: 'materialized', epoch: 2 }],
};
const LEDGER: Ledger = { runs: [RUN], cursors: { feed: 1 }, remains: { leases: 0, outbox: 0 }, miscounted: [] };
const EXPECTED: Expectation = { feed: { feed: ['1_2024-01-01'] }, maxActive: 1 };

test('a sound history of a killed and a second attempt has nothing wrong with it', () => {
  expect(check(SOUND, LEDGER, EXPECTED)).toEqual([]);
});

const without = (...seqs: number[]) => SOUND.filter(({ seq }) => !seqs.includes(seq));
const other = { ...RUN, id: 'r2' };

/** Until `atMs`. */
const stalled = (pid: number, ms: number, atMs = 9): Entry => ({ seq: 9, atMs, kind: 'stalled', pid, ms });

const left = (...epochs: number[]): Found => ({ sink: 'postgres', id: 'r1|1_2024-01-01', epochs });

const PLANTED: readonly (readonly [Rule, Entry[], Partial<Ledger>, Partial<Expectation>?])[] = [
  ['lost request', [...SOUND, { seq: 9, atMs: 9, kind: 'acknowledged', run: 'r9' }], {}],
  ['not requested', SOUND, {}, { feed: { feed: ['1_2024-01-01', '1_2024-01-02'] } }],
  ['requested twice', SOUND, { runs: [RUN, other] }],
  ['committed twice', SOUND, { runs: [RUN, other] }],
  ['not made', SOUND, { runs: [{ ...RUN, partitions: [{ key: '1_2024-01-01', outcome: null, epoch: 0 }] }] }],
  ['not made', without(8), { runs: [{ ...RUN, status: 'STARTED' }] }],
  ['commit without effect', without(6), {}],
  [
    'stale commit',
    SOUND,
    { runs: [{ ...RUN, partitions: [{ key: '1_2024-01-01', outcome: 'materialized', epoch: 1 }] }] },
  ],
  ['epochs not monotonic', [...SOUND, deed(9, 'effect', 1)], {}],
  ['stale effect', [...SOUND, deed(9, 'effect', 1, { accepted: false })], {}],
  ['two at once', without(4), {}, { maxActive: 2 }],
  ['two at once', [...without(7), deed(9, 'enter', 1, { run: 'r2' })], {}, { maxActive: 2 }],
  ['two at once', [...without(4), stalled(1, 4)], {}, { maxActive: 2, stallMs: 5 }],
  ['two at once', [...without(4), stalled(2, 8)], {}, { maxActive: 2, stallMs: 5 }],
  ['two at once', [...without(4), stalled(1, 8, 13.5)], {}, { maxActive: 2, stallMs: 5 }],
  ['two at once', [...without(4), stalled(1, 8)], {}, { maxActive: 2 }],
  ['over the limit', [...without(7), deed(9, 'enter', 1, { run: 'r2', key: '2_2024-01-01' })], {}],
  ['ended run changed', [...SOUND, { seq: 9, atMs: 9, kind: 'ended', run: 'r1', status: 'FAILURE' }], {}],
  ['ended run changed', SOUND, { runs: [{ ...RUN, status: 'FAILURE', endReason: 'worker_lost' }] }],
  ['wrong end', without(8), { runs: [{ ...RUN, status: 'FAILURE', endReason: 'worker_lost' }] }],
  ['cursor', SOUND, { cursors: { feed: 0 } }],
  ['effect missing', SOUND, {}, { effects: [] }],
  ['effect missing', SOUND, {}, { effects: [left(1)] }],
  ['effect missing', SOUND, {}, { effects: [{ ...left(1, 1), sink: 'kafka' }] }],
  ['effect twice', SOUND, {}, { effects: [left(2, 2)] }],
  ['effect of another', SOUND, {}, { effects: [left(2, 3)] }],
  ['effect of another', SOUND, {}, { effects: [left(2), { ...left(2), id: 'r7|1_2024-01-01' }] }],
  ['leak', SOUND, { remains: { leases: 1 } }],
  ['miscounted', SOUND, { miscounted: ['deed|1'] }],
];

test.each(PLANTED.map(([rule, ...world]) => ({ rule, world })))('it finds: $rule', ({ rule, world }) => {
  const [history, ledger, expected] = world;
  const found = check(history, { ...LEDGER, ...ledger }, { ...EXPECTED, ...expected });
  expect(found.map((one) => one.rule)).toContain(rule);
});

test('what each system promises is kept: every attempt once, in Kafka as often as it was sent, an object by whoever came last', () => {
  for (const effect of [left(2), left(1, 2), { ...left(2, 2, 1), sink: 'kafka' }, { ...left(1), sink: 's3' }])
    expect(check(SOUND, LEDGER, { ...EXPECTED, effects: [effect] })).toEqual([]);
});

test('what is allowed is not reported: stale effects that the target refused, ends that the attack is after', () => {
  const refused = [...SOUND, deed(9, 'effect', 1, { accepted: false })];
  expect(check(refused, LEDGER, { ...EXPECTED, staleAllowed: true })).toEqual([]);
  const lost = { ...LEDGER, runs: [{ ...RUN, status: 'FAILURE', endReason: 'worker_lost' }] };
  expect(check(without(8), lost, { ...EXPECTED, endsAllowed: ['worker_lost'] })).toEqual([]);
});

test('who was given no core until after its lease is not blamed for who took over, nor for what it was refused then', () => {
  const [stall, limits] = [stalled(1, 8), { ...EXPECTED, maxActive: 2, stallMs: 5 }];
  expect(check([...without(4), stall], LEDGER, limits)).toEqual([]);
  const refused = deed(8, 'effect', 1, { accepted: false });
  expect(check([...without(3, 4, 8), refused, deed(8, 'leave', 1), stall], LEDGER, limits)).toEqual([]);
});

test('a seed makes the same faults again, and another one others', () => {
  const faults = (seed: number) => {
    const random = createRandom(seed);
    return Array.from({ length: 20 }, () => random.whole(1, 1_000));
  };
  expect(faults(7)).toEqual(faults(7));
  expect(faults(7)).not.toEqual(faults(8));
  expect(faults(7).every((n) => n >= 1 && n <= 1_000)).toBe(true);
});
