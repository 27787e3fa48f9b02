/** The network between workers and Redis made ill, one worker or all at once: nothing twice, and a cut-off worker stops in time. */

import { openProxy, TOXICS } from './proxy.ts';
import { attack, strikes } from './random.ts';
import { openRig, report } from './rig.ts';

const ROUNDS = strikes('TOXIC_ROUNDS', 1);
const LONGEST_MS = strikes('TOXIC_MS', 6_000);
const LONG = 24 * 3_600_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test(
  `${Object.keys(TOXICS).length} illnesses of the network, ${ROUNDS} times each: a worker that is cut off stops before its lease ends`,
  () =>
    attack(async (random) => {
      const rounds = Array.from({ length: ROUNDS }, () => Object.entries(TOXICS)).flat();
      // Deeds take half a lease, so that most faults come in the middle of some.
      const rig = await openRig({
        size: { partitions: Math.max(200, rounds.length * 20), workMs: 1_500, flakyOneIn: 0 },
      });
      const each = rig.size.partitions / rig.size.sensors;
      const proxies = await Promise.all([1, 2, 3].map(() => openProxy(rig.redis.port, () => random.next())));
      try {
        for (const { port } of proxies)
          await rig.start('worker', { SKEIN_REDIS_URL: `redis://127.0.0.1:${port}/0`, RIG_CONCURRENCY: '10' });
        await rig.begin();
        let struck = 0;
        for (const [i, [, toxic]] of rounds.entries()) {
          if (random.timeIsUp()) break;
          rig.history.available = Math.ceil((each * (i + 1)) / rounds.length);
          await rig.victim((members) => random.pick(members));
          // One in three strikes all of them.
          const ill = random.whole(1, 3) === 1 ? proxies : [random.pick(proxies)];
          for (const proxy of ill) proxy.infect(toxic);
          await pause(random.whole(1_000, LONGEST_MS));
          for (const proxy of ill) proxy.heal();
          struck++;
        }
        rig.history.available = each;
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
    }),
  LONG,
);
