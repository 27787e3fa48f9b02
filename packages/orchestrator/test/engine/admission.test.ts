/** What goes next: priorities decide late, limits of tags and jobs hold runs back, and each says why. */

import { z } from 'zod';

import { beginAttempt, settleOk, toAttempt } from '../../src/engine/attempt.ts';
import { createClient } from '../../src/engine/client.ts';
import { setPoolLimit } from '../../src/engine/pools.ts';
import { whyRun } from '../../src/api/reads/why.ts';
import { defineAsset, defineDeployment, defineJob, materialized } from '../../src/index.ts';
import { type Behaviour, type Harness, openHarness, teamDays, testDeployment, until } from './harness.ts';

const open: Harness[] = [];
const harness = async (deployment: Parameters<typeof openHarness>[0], env: Record<string, string> = {}) => {
  const made = await openHarness(deployment, env);
  open.push(made);
  return { ...made, client: createClient(made.engine) };
};

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

/** Work that ends when the test says so, and the order in which it began. */
function gate() {
  const began: string[] = [];
  const waiting = new Map<string, () => void>();
  const behave: Behaviour = ({ key }) => {
    began.push(key);
    return new Promise((resolve) => waiting.set(key, () => resolve({})));
  };
  const finish = (key: string | undefined) => {
    waiting.get(key ?? '')?.();
    waiting.delete(key ?? '');
  };
  const finishAll = () => [...waiting.keys()].forEach(finish);
  return { began, behave, finish, finishAll };
}

const keyOf = (i: number) =>
  `${(i % 10) + 1}_${new Date(Date.UTC(2015, 0, 1 + Math.floor(i / 10))).toISOString().slice(0, 10)}`;

test.each([
  ['a usual run before backfills', -10, 0],
  ['live work before usual runs', 0, 10],
])('of 500 long steps on 4 slots, %s begins next', async (_name, low, high) => {
  const work = gate();
  const h = await harness(testDeployment(work.behave));
  await h.worker({ concurrency: 4 });
  const queued = Array.from({ length: 500 }, (_, i) =>
    h.client.submit({ job: 'events_job', partitions: [keyOf(i)], priority: low, cause: 'test' }),
  );
  await Promise.all(queued);
  await until(
    async () => work.began.length,
    (n) => n === 4,
  );
  // As many as may be out are out: the queue of bells is full of what came before.
  await h.engine.dispatcher.idle();
  expect(await h.engine.redis.zcard(h.engine.keys.outbox)).toBeGreaterThanOrEqual(8);
  const late = '77_2020-01-01';
  await h.client.submit({ job: 'events_job', partitions: [late], priority: high, cause: 'test' });
  await h.engine.dispatcher.idle();
  work.finish(work.began[0]);
  await until(
    async () => work.began.length,
    (n) => n === 5,
  );
  expect(work.began[4]).toBe(late);
  work.finishAll();
});

test('work of one priority goes in the order in which it came, and what waits for a slot is not rung for again', async () => {
  const work = gate();
  const h = await harness(testDeployment(work.behave), { SKEIN_RESEND_MS: '600000' });
  await h.worker({ concurrency: 1 });
  const submitted = async (key: string) => {
    await h.client.submit({ job: 'events_job', partitions: [key], priority: 10, cause: 'test' });
    await h.engine.dispatcher.idle();
  };
  const keys = ['1', '2', '3', '4'].map((team) => `${team}_2024-01-01`);
  await submitted(keys[0] ?? '');
  await until(
    async () => work.began.length,
    (n) => n === 1,
  );
  for (const key of keys.slice(1)) await submitted(key);
  // They have waited for longer than a bell may stay unanswered, and no bell was rung for them.
  const { redis, keys: k } = h.engine;
  for (const [i, id] of (await redis.zrange(k.outbox, 0, '-1')).entries()) await redis.zadd(k.outbox, i + 1, id);
  expect(await h.engine.dispatcher.resend()).toBe(0);
  for (let n = 2; n <= 4; n++) {
    work.finish(work.began[n - 2]);
    await until(
      async () => work.began.length,
      (count) => count === n,
    );
  }
  expect(work.began).toEqual(keys);
  work.finishAll();
});

test('what may be out follows the slots of the workers that are alive', async () => {
  const h = await harness(testDeployment(() => ({})));
  await Promise.all(
    Array.from({ length: 300 }, (_, i) =>
      h.client.submit({ job: 'events_job', partitions: [keyOf(i)], cause: 'test' }),
    ),
  );
  await h.engine.dispatcher.idle();
  const out = () => h.engine.redis.zcard(h.engine.keys.outbox);
  expect(await out()).toBe(16);
  await h.engine.script('beat', 'one', JSON.stringify({ concurrency: 20 }), 10_000);
  await h.engine.script('beat', 'two', JSON.stringify({ concurrency: 30 }), 10_000);
  await h.engine.dispatcher.runOnce();
  expect(await out()).toBe(100);
  await h.engine.script('beat', 'two', '', 10_000);
  expect(await h.engine.redis.hget(h.engine.keys.meta, 'slots')).toBe('20');
});

/** Goes on as a worker of one slot does, from this run on: the partitions that it is given, in their order. */
async function goesOn({ engine, client }: Awaited<ReturnType<typeof harness>>, first: string): Promise<string[]> {
  const order: string[] = [];
  let attempt = await beginAttempt(engine, `${first}.0.m.1`, 'one');
  while (attempt) {
    const key = attempt.parts[0]?.[0] ?? '';
    order.push(key);
    const made = { kind: 'materialized', metadata: {} } as const;
    const { next } = await settleOk(engine, attempt, { outcomes: [[key, made]] }, { worker: 'one', elsewhere: [] });
    await engine.dispatcher.idle();
    attempt = next?.begun && toAttempt(next.attempt, next.begun);
  }
  expect((await client.runs({ status: 'QUEUED', limit: 10 })).length).toBe(0);
  return order;
}

test('what goes out at once keeps the turns of the tenants, however much one of them had asked for before the others', async () => {
  const h = await harness(testDeployment(() => ({}), { pool: 'narrow' }));
  await setPoolLimit(h.engine, 'narrow', 1, { by: 'ana' });
  const run = async (key: string) =>
    (await h.client.submit({ job: 'events_job', partitions: [key], cause: 'test' })).runId;
  const first = await run('9_2024-01-01');
  const asked = [
    '1_2024-01-01',
    '1_2024-01-02',
    '1_2024-01-03',
    '1_2024-01-04',
    '2_2024-01-01',
    '2_2024-01-02',
    '3_2024-01-01',
  ];
  for (const key of asked) await run(key);
  await setPoolLimit(h.engine, 'narrow', 10, { by: 'ana' });
  await h.engine.dispatcher.idle();
  expect(await goesOn(h, first)).toEqual([
    '9_2024-01-01',
    ...['1_2024-01-01', '2_2024-01-01', '3_2024-01-01', '1_2024-01-02', '2_2024-01-02', '1_2024-01-03', '1_2024-01-04'],
  ]);
});

test('pools of one priority take turns: one that has room for everything does not hold up the others', async () => {
  const done: string[] = [];
  const jobs = ['', 'a', 'b'].map((pool) =>
    defineJob({
      name: `of_${pool || 'none'}`,
      assets: [
        defineAsset({
          key: `made_${pool || 'none'}`,
          description: 'A day of a team.',
          partitions: teamDays,
          config: z.object({}),
          ...(pool === '' ? {} : { pool }),
          materialize: async () => materialized(),
        }),
      ],
    }),
  );
  const h = await harness(defineDeployment({ definitions: { jobs, pools: { a: 50, b: 50 } } }));
  const run = async (job: string, i: number) =>
    (await h.client.submit({ job, partitions: [keyOf(i)], cause: 'test' })).runId;
  const ids = new Map<string, string>();
  for (let i = 0; i < 60; i++) ids.set(await run('of_a', i), 'a');
  for (let i = 0; i < 3; i++) for (const pool of ['b', 'none']) ids.set(await run(`of_${pool}`, i), pool);
  await h.engine.dispatcher.idle();
  for (;;) {
    const [next] = await h.engine.redis.zrange(h.engine.keys.ready, 0, '0');
    if (next === undefined) break;
    const attempt = await beginAttempt(h.engine, next, 'one');
    if (!attempt) throw new TypeError(`${next} is out and not to be had`);
    await h.engine.redis.zrem(h.engine.keys.ready, next);
    done.push(ids.get(attempt.runId) ?? '');
    await settleOk(h.engine, attempt, {
      outcomes: [[attempt.parts[0]?.[0] ?? '', { kind: 'materialized', metadata: {} }]],
    });
    h.engine.dispatcher.kick();
    await h.engine.dispatcher.idle();
  }
  expect(done).toHaveLength(66);
  // Sixteen were out before they came; then it is one of each in turn.
  expect(done.slice(16, 25).sort()).toEqual(['a', 'a', 'a', 'b', 'b', 'b', 'none', 'none', 'none']);
});

/** Bells that were ever rung: the queue numbers them. */
const bells = async (h: Harness) => Number(await h.engine.redis.get(`${h.engine.keys.prefix}:bull:work:id`));

test('a worker that settles goes on with what waits, without a bell, each attempt once', async () => {
  const began: string[] = [];
  const h = await harness(
    testDeployment(({ key }) => {
      began.push(key);
      return {};
    }),
  );
  const keys = Array.from({ length: 200 }, (_, i) => keyOf(i));
  const runs = await Promise.all(
    keys.map((key) => h.client.submit({ job: 'events_job', partitions: [key], cause: 'test' })),
  );
  expect(await bells(h)).toBe(0); // nobody is there to be rung for
  await h.worker({ concurrency: 4 });
  await Promise.all(runs.map(({ runId }) => h.client.wait(runId)));
  expect([...began].sort()).toEqual([...keys].sort());
  expect(await bells(h)).toBeLessThan(keys.length / 2);
  expect(await h.engine.redis.exists(h.engine.keys.ready, h.engine.keys.outbox, h.engine.keys.leases)).toBe(0);
});

test('what a bell was rung for in vain is not passed over for ever by a worker that always has a next one', async () => {
  const work = gate();
  const h = await harness(testDeployment(work.behave), { SKEIN_PULSE_MS: '3600000', SKEIN_RESEND_MS: '600000' });
  await h.worker({ concurrency: 1 });
  const [first = '', vain = '', ...rest] = ['1', '2', '3', '4', '5'].map((team) => `${team}_2024-01-01`);
  const submitted = async (key: string) => {
    const { runId } = await h.client.submit({ job: 'events_job', partitions: [key], cause: 'test' });
    await h.engine.dispatcher.idle();
    return runId;
  };
  const beganAre = (n: number) =>
    until(
      async () => work.began.length,
      (count) => count === n,
    );
  await submitted(first);
  await beganAre(1);
  // A worker that is counted and takes nothing: the bell for its slot is answered by nobody.
  await h.engine.script('beat', 'gone', JSON.stringify({ concurrency: 1 }), 10_000);
  const attempt = `${await submitted(vain)}.0.m.1`;
  expect(await h.engine.redis.zscore(h.engine.keys.ready, attempt)).toBeNull();
  for (const key of rest) await submitted(key);
  work.finish(first);
  await beganAre(2);
  expect(work.began[1]).toBe(rest[0]);
  await h.engine.redis.zadd(h.engine.keys.outbox, 1, attempt);
  expect(await h.engine.dispatcher.resend()).toBe(1);
  work.finish(rest[0]);
  await beganAre(3);
  expect(work.began[2]).toBe(vain);
  work.finishAll();
});

test('leases of a lost worker do not hold back one that is idle', async () => {
  const h = await harness(
    testDeployment(() => ({})),
    { SKEIN_LEASE_MS: '600000' },
  );
  // A worker that took all it could, and is never heard of again.
  await h.engine.script('beat', 'lost', JSON.stringify({ concurrency: 8 }), 10_000);
  await Promise.all(
    Array.from({ length: 8 }, (_, i) => h.client.submit({ job: 'events_job', partitions: [keyOf(i)], cause: 'test' })),
  );
  for (const attempt of await h.engine.redis.zrange(h.engine.keys.outbox, 0, '-1'))
    await h.engine.begin('lost', attempt);
  expect(await h.engine.redis.zcard(h.engine.keys.leases)).toBe(8);
  await h.engine.script('beat', 'lost', '', 10_000);
  await h.worker({ concurrency: 4 });
  const { runId } = await h.client.submit({ job: 'events_job', partitions: ['77_2020-01-01'], cause: 'test' });
  // By the ledger's reckoning no slot is free for another ten minutes; the worker's own pulse knows better.
  expect(await h.client.wait(runId)).toMatchObject({ status: 'SUCCESS' });
});

test('what waits for a slot and is cancelled meanwhile is nobody’s next', async () => {
  const work = gate();
  const h = await harness(testDeployment(work.behave));
  await h.worker({ concurrency: 1 });
  const run = async (key: string) =>
    (await h.client.submit({ job: 'events_job', partitions: [key], cause: 'test' })).runId;
  await run('1_2024-01-01');
  await until(
    async () => work.began.length,
    (n) => n === 1,
  );
  const cancelled = await run('1_2024-01-02');
  await run('1_2024-01-03');
  await h.client.cancel(cancelled, 'ana');
  expect((await h.client.run(cancelled)).status).toBe('CANCELED');
  work.finish('1_2024-01-01');
  await until(
    async () => work.began.length,
    (n) => n === 2,
  );
  expect(work.began).toEqual(['1_2024-01-01', '1_2024-01-03']);
  work.finishAll();
});

function limited(behave: (key: string) => Promise<unknown>) {
  const counted = defineAsset({
    key: 'counted',
    description: 'A day of a team.',
    partitions: teamDays,
    config: z.object({}),
    materialize: async ({ partitionKey }) => {
      await behave(partitionKey);
      return materialized();
    },
  });
  return defineDeployment({
    definitions: {
      jobs: [
        defineJob({ name: 'counted_job', assets: [counted] }),
        defineJob({ name: 'one_job', assets: [counted], maxActiveRuns: 1 }),
      ],
      tagLimits: [
        { tag: 'customer', perValue: true, limit: 2 },
        { tag: 'team', value: 'red', limit: 1 },
      ],
    },
  });
}

test('a limit for each value of a tag: the third run of a customer stands aside and says so, others pass it', async () => {
  const work = gate();
  const h = await harness(limited(async (key) => work.behave({ key } as Parameters<Behaviour>[0])));
  await h.worker({ concurrency: 20 });
  const run = async (key: string, tags: Record<string, string>) =>
    (await h.client.submit({ job: 'counted_job', partitions: [key], tags, cause: 'test' })).runId;
  const [first] = [await run('1_2024-01-01', { customer: 'a' }), await run('1_2024-01-02', { customer: 'a' })];
  const third = await run('1_2024-01-03', { customer: 'a' });
  await run('1_2024-01-04', { customer: 'b' });
  await run('1_2024-01-05', {});
  await until(
    async () => work.began.length,
    (n) => n === 4,
  );
  expect([...work.began].sort()).toEqual(['1_2024-01-01', '1_2024-01-02', '1_2024-01-04', '1_2024-01-05']);
  const held = await h.client.run(third);
  expect(held).toMatchObject({
    status: 'QUEUED',
    blocked: 'the limit of 2 runs at once with the tag customer=a is reached',
  });
  expect((await whyRun(h.engine, held)).sentences).toContain(
    'It waits: the limit of 2 runs at once with the tag customer=a is reached.',
  );
  work.finish('1_2024-01-01');
  await h.client.wait(first ?? '');
  await until(
    async () => work.began.length,
    (n) => n === 5,
  );
  expect((await h.client.run(third)).blocked).toBeUndefined();
  work.finishAll();
  expect((await h.client.wait(third)).status).toBe('SUCCESS');
  await until(
    () => h.engine.redis.keys(`${h.engine.keys.prefix}:act:*`),
    (keys) => keys.length === 0,
  );
  expect(await h.engine.redis.keys(`${h.engine.keys.prefix}:*aside*`)).toEqual([]);
});

test('limits of a job and of tags together: never more at once than the narrowest says, and all get their turn', async () => {
  let active = 0;
  let most = 0;
  const h = await harness(
    limited(async () => {
      most = Math.max(most, ++active);
      await new Promise((resolve) => setImmediate(resolve));
      active--;
    }),
  );
  await h.worker({ concurrency: 20 });
  const runs = await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      h.client.submit({
        job: i % 2 === 0 ? 'one_job' : 'counted_job',
        partitions: [keyOf(i)],
        tags: i % 3 === 0 ? { team: 'red' } : { team: 'red', customer: `${i % 4}` },
        cause: 'test',
      }),
    ),
  );
  const ended = await Promise.all(runs.map(({ runId }) => h.client.wait(runId)));
  expect(new Set(ended.map((run) => run.status))).toEqual(new Set(['SUCCESS']));
  expect(most).toBe(1);
});

test('a limit that is raised lets those go that stand aside; one that is cancelled there never runs', async () => {
  const work = gate();
  const h = await harness(limited(async (key) => work.behave({ key } as Parameters<Behaviour>[0])));
  await h.worker({ concurrency: 20 });
  const run = async (key: string) =>
    (await h.client.submit({ job: 'counted_job', partitions: [key], tags: { team: 'red' }, cause: 'test' })).runId;
  await run('1_2024-01-01');
  const cancelled = await run('1_2024-01-02');
  const third = await run('1_2024-01-03');
  await until(
    () => h.client.run(third),
    (one) => one.blocked !== undefined,
  );
  await h.client.cancel(cancelled, 'ana');
  expect((await h.client.run(cancelled)).status).toBe('CANCELED');
  await h.engine.redis.hset(`${h.engine.keys.prefix}:limits`, 'tag:team=red', 2);
  await until(
    async () => work.began.length,
    (n) => n === 2,
  );
  expect(work.began).toEqual(['1_2024-01-01', '1_2024-01-03']);
  work.finishAll();
});

test('limits that contradict themselves are refused with the definitions', () => {
  const tagLimits = [
    { tag: 'a b', limit: 1 },
    { tag: 'team', limit: 0 },
    { tag: 'team', limit: 3 },
    { tag: 'x', value: '1', perValue: true, limit: 1 },
  ];
  expect(() => defineDeployment({ definitions: { jobs: [], tagLimits } })).toThrow(
    /“a b” of a limit is not a name.*whole number from 1.*two limits.*say one of them|“a b”.*whole number.*two limits/,
  );
});
