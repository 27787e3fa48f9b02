/** Redis killed, cut short by a power loss, failed over and filled up, under a workload: what was promised is kept. */

import { createClients } from './clients.ts';
import { openProxy } from './proxy.ts';
import { type Random, sideBySide, strikes, testAttack } from './random.ts';
import { type RedisNode, createRedisNode } from './redis-node.ts';
import { type Rig, type RigOptions, openRig, report, until } from './rig.ts';

const KILLS = strikes('REDIS_KILLS', 12);
const CUTS = strikes('AOF_CUTS', 20);
const FAILOVERS = strikes('FAILOVERS', 10);
/** Side by side, each with a Redis of its own: the most of a strike is a wait. */
const RIGS = 2;
const DOWN_MS = strikes('REDIS_DOWN_MS', 3_000);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Two servers' worth of people and two workers, at work; `strike` comes `times` times. */
async function underLoad(
  random: Random,
  times: number,
  options: RigOptions,
  strike: (rig: Rig, nth: number) => Promise<void>,
): Promise<{ rig: Rig; struck: number; clients: ReturnType<typeof createClients> }> {
  const rig = await openRig({
    ...options,
    size: { partitions: Math.max(200, times * 20), workMs: 200, ...options.size },
  });
  const each = rig.size.partitions / rig.size.sensors;
  const clients = createClients(rig.history, random);
  try {
    const [server] = await Promise.all([rig.start('server'), rig.start('worker'), rig.start('worker')]);
    await rig.begin(0);
    await rig.redis.flush(); // what is attacked is the work, not how it was set up
    let over = false;
    const people = clients.work(
      () => server.url,
      () => over,
    );
    let struck = 0;
    for (; struck < times && !random.timeIsUp(); struck++) {
      rig.history.available = Math.ceil((each * (struck + 1)) / times);
      await rig.victim((members) => random.pick(members));
      await pause(random.whole(0, 500));
      await strike(rig, struck);
    }
    over = true;
    await people;
    return { rig, struck, clients };
  } catch (error) {
    await rig.close();
    throw error;
  }
}

/** Milliseconds until somebody's effect arrives. */
async function untilEffect(rig: Rig): Promise<number> {
  const began = performance.now();
  const from = rig.history.entries.length;
  await until(() => rig.history.entries.slice(from).some(({ kind }) => kind === 'effect'), 'work goes on');
  return performance.now() - began;
}

const longest = (times: readonly number[]) => `${(Math.max(...times) / 1_000).toFixed(1)} s`;

testAttack(
  `${KILLS} times Redis killed or stopped, and back on its append-only file: nothing acknowledged is lost`,
  async (random) => {
    const resumed: number[] = [];
    const { rig, struck, clients } = await underLoad(random, KILLS, {}, async ({ redis, ...rest }, nth) => {
      await redis.kill(nth % 6 === 5 ? 'SIGTERM' : 'SIGKILL');
      if (nth % 10 === 3) await pause(DOWN_MS);
      await redis.start();
      resumed.push(await untilEffect({ redis, ...rest }));
    });
    try {
      expect(await rig.judge({ endsAllowed: ['cancelled'] })).toEqual([]);
      report('F5 Redis killed', {
        kills: struck,
        ...clients.asked,
        'at the longest until work went on': longest(resumed),
        seed: random.seed,
      });
      // Of few, on a busy machine, the longest says nothing.
      if (struck >= 100) expect(Math.max(...resumed)).toBeLessThan(10_000 + 3_000);
    } finally {
      await rig.close();
    }
  },
);

testAttack(
  `${CUTS} power cuts, each of which takes the end of the append-only file: consistent, asked again, nothing twice`,
  async (random) => {
    let gone = 0;
    const cuts = await sideBySide(CUTS, RIGS, async (share) => {
      const { rig, struck } = await underLoad(random, share, {}, async (one) => {
        await one.redis.kill();
        gone += one.redis.cutTail(random.whole(0, 65_536));
        await one.redis.repair();
        await one.redis.start();
        await untilEffect(one);
      });
      try {
        expect(await rig.judge({ endsAllowed: ['cancelled'], forgetful: true })).toEqual([]);
        return struck;
      } finally {
        await rig.close();
      }
    });
    report('F6 power cuts', { cuts, 'bytes lost': gone, seed: random.seed });
    expect(gone).toBeGreaterThan(0);
  },
);

testAttack(
  `${FAILOVERS} failovers to a replica that lacks the last seconds: old epochs are refused, all of it is repaired`,
  async (random) => {
    let behind = 0;
    const failovers = await sideBySide(FAILOVERS, RIGS, async (share) => {
      const proxy = await openProxy(1, () => random.next());
      let primary: RedisNode | undefined;
      let replicas = 0;
      const options: RigOptions = {
        through: (redis) => (proxy.lead(redis.port), Promise.resolve(`redis://127.0.0.1:${proxy.port}/0`)),
        rigToo: true,
      };
      const { rig, struck } = await underLoad(random, share, options, async (one) => {
        const old = primary ?? one.redis;
        const replica = await replicaOf(old, `${one.folder}/replica-${++replicas}`);
        await replica.command('REPLICAOF', '127.0.0.1', '1'); // from now on it hears nothing
        const lag = random.whole(1_000, 5_000);
        behind += lag;
        await pause(lag);
        await old.kill();
        await replica.command('REPLICAOF', 'NO', 'ONE');
        proxy.lead(replica.port);
        primary = replica;
        await untilEffect(one);
      });
      try {
        expect(await rig.judge({ endsAllowed: ['cancelled'], forgetful: true })).toEqual([]);
        return struck;
      } finally {
        await rig.close();
        await primary?.kill();
        await proxy.close();
      }
    });
    report('F7 failovers', { failovers, 'ms of writes lost': behind, seed: random.seed });
  },
);

/** A replica in step. */
async function replicaOf(primary: RedisNode, folder: string): Promise<RedisNode> {
  const replica = await createRedisNode(folder, { replicaof: `127.0.0.1 ${primary.port}` });
  await replica.start();
  await until(
    async () => String(await replica.command('INFO', 'replication')).includes('master_link_status:up'),
    'a replica in step',
  );
  return replica;
}

testAttack(
  'a Redis that is full: what comes is refused with 503, cursors hold, and all goes on when there is room',
  async (random) => {
    let refused = 0;
    const { rig, clients } = await underLoad(random, 1, {}, async ({ redis, members, history }) => {
      const used = /used_memory:(\d+)/.exec(String(await redis.command('INFO', 'memory')))?.[1] ?? '0';
      await redis.command('CONFIG', 'SET', 'maxmemory', used);
      const server = [...members].find(({ role }) => role === 'server');
      await until(async () => {
        const answer = await fetch(`${server?.url}/api/v1/launch`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ job: 'deed_job', partitions: [`${900_000 + refused}_2024-01-01`] }),
        });
        if (answer.status !== 503) expect(answer.status).toBe(202);
        else refused++;
        return refused >= 5;
      }, 'launches are refused');
      history.available = Math.floor(history.available * 2);
      // Now and then there is room for a moment: what could not commit must not fail in it for that.
      for (let moments = 0; moments < 10; moments++) {
        await pause(300);
        await redis.command('CONFIG', 'SET', 'maxmemory', '0');
        await pause(random.whole(5, 50));
        await redis.command('CONFIG', 'SET', 'maxmemory', used);
      }
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    });
    try {
      expect(await rig.judge({ endsAllowed: ['cancelled'] })).toEqual([]);
      report('F14 memory full', { 'launches refused': refused, ...clients.asked, seed: random.seed });
    } finally {
      await rig.close();
    }
  },
);
