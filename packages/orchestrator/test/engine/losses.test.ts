import {
  beginAttempt,
  renewLeases,
  saveCheckpoint,
  settleHandedOn,
  settleOk,
  settlePartition,
} from '../../src/engine/attempt.ts';
import { createClient } from '../../src/engine/client.ts';
import { pulseOnce } from '../../src/engine/pulse.ts';
import { type Behaviour, type Harness, openHarness, testDeployment, until } from './harness.ts';

const open: Harness[] = [];
const harness = async (
  behave: Behaviour = () => ({}),
  options: Parameters<typeof testDeployment>[1] = {},
  env: Record<string, string> = {},
) => {
  const made = await openHarness(testDeployment(behave, options), env);
  open.push(made);
  return { ...made, client: createClient(made.engine) };
};

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

type Ask = (...args: unknown[]) => Promise<unknown>;
type Refusals = { readonly full: Ask; readonly afterwards: Ask };

const one = { job: 'events_job', partitions: ['1_2024-01-15'], cause: 'test' };

test('a bell that rings twice gives the attempt once', async () => {
  const h = await harness();
  const { runId } = await h.client.submit(one);
  await h.engine.dispatcher.idle();
  const begun = await Promise.all([1, 2, 3].map((n) => beginAttempt(h.engine, `${runId}.0.m.1`, `worker ${n}`)));
  expect(begun.filter(Boolean)).toHaveLength(1);
});

test('a worker that comes back from the dead cannot commit, and the next attempt resumes from the checkpoint', async () => {
  const h = await harness(() => ({}), {}, { SKEIN_LEASE_MS: '200', SKEIN_LEASE_RENEW_MS: '50' });
  const { runId } = await h.client.submit(one);
  await h.engine.dispatcher.idle();
  const dead = await beginAttempt(h.engine, `${runId}.0.m.1`, 'dead');
  if (!dead) throw new TypeError('not begun');
  await saveCheckpoint(h.engine, dead, { page: 7 });
  await until(
    () => pulseOnce(h.engine),
    (counts) => counts.lost === 1,
  );
  const next = await until(
    () => beginAttempt(h.engine, `${runId}.0.m.2`, 'next'),
    (attempt) => attempt !== undefined,
  );
  expect(next).toMatchObject({ number: 2, checkpoint: { page: 7 } });
  expect(next?.epoch).toBeGreaterThan(dead.epoch);
  expect(
    await settleOk(h.engine, dead, {
      outcomes: [['1_2024-01-15', { kind: 'materialized', metadata: { by: 'dead' } }]],
    }),
  ).toEqual({ committed: false });
  expect(await settlePartition(h.engine, dead, '1_2024-01-15', { kind: 'materialized', metadata: {} })).toBe('fenced');
  expect(await saveCheckpoint(h.engine, dead, { page: 1 })).toBe(false);
  expect(await renewLeases(h.engine, [dead])).toEqual(['lost']);
  if (!next) throw new TypeError('not begun');
  expect(
    await settleOk(h.engine, next, {
      outcomes: [['1_2024-01-15', { kind: 'materialized', metadata: { by: 'next' } }]],
    }),
  ).toEqual({ committed: true });
  expect((await h.client.run(runId)).partitions[0]).toMatchObject({
    outcome: 'materialized',
    metadata: { by: 'next' },
  });
});

test('a beginning that Redis forgot is not given the same epoch again', async () => {
  const h = await harness();
  const { runId } = await h.client.submit(one);
  await h.engine.dispatcher.idle();
  const unit = h.engine.keys.unit(`${runId}.0.m`);
  const first = await beginAttempt(h.engine, `${runId}.0.m.1`, 'of before');
  await h.engine.redis.hset(unit, 'state', 'DISPATCHED', 'epoch', 0);
  const redisMs = async () => {
    const [seconds, micros] = await h.engine.redis.time();
    return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
  };
  await until(redisMs, (ms) => ms > (first?.epoch ?? Infinity));
  const second = await beginAttempt(h.engine, `${runId}.0.m.1`, 'of after');
  expect(second?.epoch).toBeGreaterThan(first?.epoch ?? Infinity);
});

test('a task that is fenced off while it settles has lost its lease: it does not fail its run', async () => {
  let fencedOff = false;
  const h: Awaited<ReturnType<typeof harness>> = await harness(
    async ({ key, epoch }) => {
      if (!fencedOff && key === '2_2024-01-01') {
        fencedOff = true; // as after a failover that gave the attempt to another worker, of which nobody told this one
        await h.engine.redis.hset(h.engine.keys.unit(`${runId}.0.t-chunk-0`), 'epoch', epoch + 1);
      }
      return {};
    },
    {},
    { SKEIN_LEASE_MS: '1000', SKEIN_LEASE_RENEW_MS: '400' },
  );
  const { runId } = await h.client.submit({ job: 'chunks_job', partitions: [], cause: 'test' });
  await h.worker();
  expect(await h.client.wait(runId)).toMatchObject({ status: 'SUCCESS', counts: { materialized: 3 } });
  // It was refused once, at the partition: it did not go on to say that it had failed.
  expect(await h.engine.redis.hget(h.engine.keys.stats, 'fenced_commits')).toBe('1');
});

test.each([
  ['refuses for a while, full', (refuse: Refusals) => [refuse.full, refuse.full]],
  ['is cut off after it has written', (refuse: Refusals) => [refuse.afterwards]],
])('what is made is committed though the ledger %s: that is no failure of the code', async (_how, plan) => {
  let made = 0;
  const h = await harness(() => ({ made: ++made }));
  const redis = h.engine.redis as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  const settle = redis.skein_settle?.bind(redis) ?? (() => Promise.reject(new TypeError('no such script')));
  const refusals = plan({
    full: () => Promise.reject(new Error("OOM command not allowed when used memory > 'maxmemory'.")),
    afterwards: (...args) => settle(...args).then(() => Promise.reject(new Error('Connection is closed.'))),
  });
  redis.skein_settle = (...args) => (refusals.shift() ?? settle)(...args);
  const { runId } = await h.client.submit(one);
  await h.worker({ engine: h.engine });
  expect(await h.client.wait(runId)).toMatchObject({ status: 'SUCCESS', counts: { materialized: 1 } });
  expect([made, refusals]).toEqual([1, []]);
});

test('three losses without progress end a run as worker_lost; no slot, lease or claim is left', async () => {
  const h = await harness(() => ({}), { pool: 'narrow' }, { SKEIN_LEASE_MS: '60', SKEIN_LEASE_RENEW_MS: '20' });
  const { runId } = await h.client.submit(one);
  for (const n of [1, 2, 3]) {
    await until(
      () => beginAttempt(h.engine, `${runId}.0.m.${n}`, 'doomed'),
      (attempt) => attempt !== undefined,
    );
    await until(
      () => pulseOnce(h.engine),
      (counts) => counts.lost === 1,
    );
  }
  expect(await h.client.run(runId)).toMatchObject({ status: 'FAILURE', endReason: 'worker_lost' });
  const { redis, keys } = h.engine;
  expect(await redis.scard(keys.pool('narrow'))).toBe(0);
  expect(await redis.zcard(keys.leases)).toBe(0);
  expect(await redis.zcard(keys.outbox)).toBe(0);
  expect(await redis.hlen(keys.holders('events'))).toBe(0);
  expect(await h.client.partitionStatus('events', one.partitions)).toEqual(
    new Map([['1_2024-01-15', { outcome: 'failed', activity: 'idle' }]]),
  );
});

test('an attempt that settles its only partition as failed fails the run', async () => {
  const h = await harness();
  const { runId } = await h.client.submit(one);
  await h.engine.dispatcher.idle();
  const attempt = await beginAttempt(h.engine, `${runId}.0.m.1`, 'test');
  if (!attempt) throw new TypeError('not begun');
  const error = { code: 'BAD_DAY', message: 'the day is bad' };
  await settleOk(h.engine, attempt, { outcomes: [['1_2024-01-15', { kind: 'failed', error, metadata: {} }]] });
  expect(await h.client.run(runId)).toMatchObject({
    status: 'FAILURE',
    counts: { failed: 1 },
    partitions: [{ outcome: 'failed', error }],
  });
});

test('what a lost worker was at goes before the turns of all tenants; of its tenant nothing else does', async () => {
  const h = await harness(() => ({}), { pool: 'narrow' });
  const { redis, keys } = h.engine;
  const submit = async (key: string) => (await h.client.submit({ ...one, partitions: [key] })).runId;
  const state = async (run: string) => redis.hget(keys.unit(`${run}.0.m`), 'state');
  const lost = [await submit('1_2024-01-01'), await submit('1_2024-01-02')];
  for (const run of lost) await beginAttempt(h.engine, `${run}.0.m.1`, 'lost');
  const others: string[] = [];
  for (let team = 2; team < 30; team++) others.push(await submit(`${team}_2024-01-01`));
  const nextOfTenant = await submit('1_2024-01-03');
  for (const run of lost) await redis.zadd(keys.leases, 1, `${run}.0.m.1`); // their leases have run out
  expect(await pulseOnce(h.engine)).toMatchObject({ lost: 2 });
  // Both slots of the pool are for these two.
  expect(await Promise.all(lost.map(state))).toEqual(['DISPATCHED', 'DISPATCHED']);
  for (const [i, run] of lost.entries()) {
    const again = await beginAttempt(h.engine, `${run}.0.m.2`, 'next');
    if (!again) throw new TypeError('not begun');
    const made = { kind: 'materialized', metadata: {} } as const;
    await settleOk(h.engine, again, { outcomes: [[`1_2024-01-0${i + 1}`, made]] });
  }
  await pulseOnce(h.engine);
  expect(await Promise.all(others.slice(0, 3).map(state))).toEqual(['DISPATCHED', 'DISPATCHED', 'QUEUED']);
  expect(await state(nextOfTenant)).toBe('QUEUED');
});

test('a bell that was lost is rung again', async () => {
  const h = await harness(() => ({}), {}, { SKEIN_RESEND_MS: '50' });
  const { runId } = await h.client.submit(one);
  await h.engine.dispatcher.idle();
  await h.engine.work.obliterate({ force: true });
  await h.worker();
  expect((await h.client.wait(runId)).status).toBe('SUCCESS');
});

test('a second run of a partition waits, joins or is refused, as the job says', async () => {
  const waiting = await harness();
  const first = await waiting.client.submit(one);
  const second = await waiting.client.submit(one);
  expect((await waiting.client.run(second.runId)).blocked).toContain(first.runId);
  await waiting.worker();
  expect((await waiting.client.wait(first.runId)).status).toBe('SUCCESS');
  expect((await waiting.client.wait(second.runId)).status).toBe('SUCCESS');

  const joining = await harness(() => ({}), { onBusy: 'join' });
  const held = await joining.client.submit(one);
  expect(await joining.client.submit(one)).toEqual({ runId: held.runId, isNew: false });

  const refusing = await harness(() => ({}), { onBusy: 'refuse' });
  await refusing.client.submit(one);
  await expect(refusing.client.submit(one)).rejects.toMatchObject({ code: 'REFUSED' });
});

test('a timeout aborts the code and ends the run with its reason', async () => {
  const h = await harness(
    ({ signal }) => new Promise((_r, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    { timeout: '300ms' },
  );
  await h.worker();
  const { runId } = await h.client.submit(one);
  expect(await h.client.wait(runId)).toMatchObject({
    status: 'FAILURE',
    endReason: 'timeout',
    error: { code: 'TIMEOUT' },
  });
});

test('workers that stop one after another hand the work on at once: it is no loss, however often', async () => {
  let attempts = 0;
  const h = await harness(
    ({ signal }) => {
      if (++attempts > 4) return {};
      return new Promise((_r, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    },
    {},
    { SKEIN_LEASE_MS: '600000', SKEIN_MAX_LOST: '2' },
  );
  const { runId } = await h.client.submit(one);
  for (let nth = 1; nth <= 4; nth++) {
    const worker = await h.worker();
    await until(
      async () => attempts,
      (begun) => begun === nth,
    );
    await worker.stop(50);
  }
  await h.worker();
  expect((await h.client.wait(runId)).status).toBe('SUCCESS');
  expect(attempts).toBe(5);
  expect(await h.engine.redis.hmget(h.engine.keys.stats, 'lost_attempts', 'fenced_commits')).toEqual([null, null]);
});

test('what was finished in spite of the stop is committed, what goes on in spite of it keeps its lease', async () => {
  let attempts = 0;
  let end = () => {};
  const h = await harness(({ key, signal }) => {
    attempts++;
    return new Promise((resolve) => {
      if (key.startsWith('2_')) end = () => resolve({});
      else signal.addEventListener('abort', () => resolve({}));
    });
  });
  const worker = await h.worker();
  const { runId } = await h.client.submit(one);
  const deaf = await h.client.submit({ ...one, partitions: ['2_2024-01-01'] });
  await until(
    async () => attempts,
    (begun) => begun === 2,
  );
  await worker.stop(50);
  expect((await h.client.run(runId)).status).toBe('SUCCESS');
  const leased = await h.engine.redis.zrange(h.engine.keys.leases, 0, '-1');
  expect(leased).toEqual([expect.stringMatching(`^${deaf.runId}\\.`)]);
  end();
});

test('a run that is being cancelled is not handed on', async () => {
  const h = await harness();
  const { runId } = await h.client.submit(one);
  await h.engine.dispatcher.idle();
  const attempt = await beginAttempt(h.engine, `${runId}.0.m.1`, 'stopping');
  if (!attempt) throw new TypeError('not begun');
  await h.client.cancel(runId, 'ana');
  expect((await h.client.run(runId)).status).toBe('CANCELING');
  expect(await settleHandedOn(h.engine, attempt)).toEqual({ committed: true });
  expect((await h.client.run(runId)).status).toBe('CANCELED');
});

test('a cancelled run that waits behind another never runs', async () => {
  const h = await harness();
  const first = await h.client.submit(one);
  const second = await h.client.submit(one);
  await h.client.cancel(second.runId, 'ana');
  expect((await h.client.run(second.runId)).status).toBe('CANCELED');
  await h.worker();
  await h.client.wait(first.runId);
  expect((await h.client.run(second.runId)).status).toBe('CANCELED');
});

test('a worker is stopped once, however often it is asked: the second time leaves no timer behind', async () => {
  const h = await harness();
  const worker = await h.worker();
  const first = worker.stop(50);
  expect(worker.stop(50)).toBe(first);
  await first;
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  await worker.stop(50);
  expect(timers()).toBe(before);
  expect(await h.engine.redis.zcard(h.engine.keys.workers)).toBe(0);
  expect(await h.engine.redis.hget(h.engine.keys.meta, 'slots')).toBe('0');
});
