/** The network between workers and Redis made ill, one worker or all at once: nothing twice, and a cut-off worker stops in time. */

import { createClient } from '../../packages/orchestrator/src/engine/client.ts';
import { type Proxy, type Toxic, openProxy, TOXICS } from './proxy.ts';
import { strikes, testAttack } from './random.ts';
import { openRig, report, until } from './rig.ts';

const ROUNDS = strikes('TOXIC_ROUNDS', 2);
const WORKERS = 6;
const LONGEST_MS = strikes('TOXIC_MS', 6_000);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

testAttack(
  `${Object.keys(TOXICS).length} illnesses of the network, ${ROUNDS} times each: a worker that is cut off stops before its lease ends`,
  async (random) => {
    const faults = Array.from({ length: ROUNDS }, () => random.shuffled(Object.values(TOXICS))).flat();
    // Deeds take half a lease, so that most faults come in the middle of some.
    const rig = await openRig({
      size: { partitions: Math.max(200, faults.length * 20), workMs: 1_500, flakyOneIn: 0 },
    });
    const each = rig.size.partitions / rig.size.sensors;
    const proxies = await Promise.all(
      Array.from({ length: WORKERS }, () => openProxy(rig.redis.port, () => random.next())),
    );
    /** For a while of its own. */
    const infect = async (ill: readonly Proxy[], toxic: Toxic) => {
      for (const proxy of ill) proxy.infect(toxic);
      await pause(random.whole(1_000, LONGEST_MS));
      for (const proxy of ill) proxy.heal();
    };
    try {
      for (const { port } of proxies) await rig.start('worker', { SKEIN_REDIS_URL: `redis://127.0.0.1:${port}/0` });
      await rig.begin(0);
      let struck = 0;
      while (struck < faults.length && !random.timeIsUp()) {
        await rig.victim((members) => random.pick(members));
        // One in three strikes all of them; else each has its own weather.
        const common = random.whole(1, 3) === 1;
        const weather = faults.slice(struck, struck + (common ? 1 : WORKERS));
        struck += weather.length;
        rig.history.available = Math.ceil((each * struck) / faults.length);
        await Promise.all(weather.map((toxic, i) => infect(common ? proxies : proxies.slice(i, i + 1), toxic)));
      }
      expect(await rig.judge()).toEqual([]);
      const lost = Number((await rig.engine.redis.hget(rig.engine.keys.stats, 'lost_attempts')) ?? 0);
      const fenced = Number((await rig.engine.redis.hget(rig.engine.keys.stats, 'fenced_commits')) ?? 0);
      report('F8 network of Redis', {
        faults: struck,
        'attempts lost': lost,
        'commits refused': fenced,
        seed: random.seed,
      });
      expect(lost).toBeGreaterThan(0);
    } finally {
      await rig.close();
      await Promise.all(proxies.map((proxy) => proxy.close()));
    }
  },
);

testAttack('a worker whose answers come late counts its lease from when it asked for it', async (random) => {
  // An answer takes two thirds of a lease: what is left of it is too little for the deed, and the worker must know.
  const rig = await openRig({ size: { sensors: 1, partitions: 0, workMs: 1_500, flakyOneIn: 0 } });
  const proxy = await openProxy(rig.redis.port, () => random.next());
  try {
    const far = { SKEIN_REDIS_URL: `redis://127.0.0.1:${proxy.port}/0`, RIG_CONCURRENCY: '30' };
    await Promise.all([rig.start('worker', far), rig.start('worker', { RIG_CONCURRENCY: '4' })]);
    proxy.infect({ kind: 'latency', direction: 'down', ms: 2_000, jitterMs: 0 });
    const client = createClient(rig.engine);
    const runs = Array.from({ length: 40 }, (_, i) => [`${i + 1}_2024-01-01`]);
    for (const partitions of runs) await client.submit({ job: 'deed_job', partitions, cause: 'rig' });
    await until(async () => Number(await rig.engine.redis.hget(rig.engine.keys.stats, 'lost_attempts')) > 0, 'a loss');
    proxy.heal();
    expect(await rig.judge()).toEqual([]);
  } finally {
    await rig.close();
    await proxy.close();
  }
});

testAttack(
  'code that waits for the ledger while its worker is cut off is stopped before another takes over',
  async (random) => {
    const rig = await openRig({ size: { sensors: 1, partitions: 0, workMs: 700, flakyOneIn: 0 } });
    const proxy = await openProxy(rig.redis.port, () => random.next());
    try {
      await rig.start('worker', { SKEIN_REDIS_URL: `redis://127.0.0.1:${proxy.port}/0`, RIG_CONCURRENCY: '4' });
      const client = createClient(rig.engine);
      const { runId } = await client.submit({ job: 'deed_job', partitions: ['1_2024-01-01'], cause: 'rig' });
      await until(async () => rig.history.busy().size > 0, 'the deed to begin');
      // It saves a checkpoint in the middle, which is neither confirmed nor refused until the network heals.
      proxy.infect({ kind: 'cut' });
      await rig.start('worker', { RIG_CONCURRENCY: '4' });
      await until(async () => (await client.run(runId)).endedAt !== undefined, 'the other worker to do it');
      proxy.heal();
      expect(await rig.judge()).toEqual([]);
    } finally {
      await rig.close();
      await proxy.close();
    }
  },
);
