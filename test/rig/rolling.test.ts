/** Every process replaced with SIGTERM, one after another and again and again, under load: nobody notices. */

import { createClient } from '../../packages/orchestrator/src/engine/client.ts';
import { createClients } from './clients.ts';
import type { Entry } from './history.ts';
import { attack, strikes } from './random.ts';
import { type Member, type Rig, openRig, report, until } from './rig.ts';

const REPLACEMENTS = strikes('REPLACEMENTS', 10);
const LONG = 24 * 3_600_000;
const GRACE_MS = 500;

test(
  `${REPLACEMENTS} processes replaced one after another under load: no loss, no request that fails, and what outlasts the grace is handed on`,
  () =>
    attack(async (random) => {
      const rig = await openRig({
        size: { partitions: Math.max(200, REPLACEMENTS * 20), workMs: 50 },
        // What was interrupted would wait for its lease as long as the test lasts; three losses would end a run.
        env: {
          SKEIN_LEASE_MS: '60000',
          SKEIN_LEASE_RENEW_MS: '700',
          SKEIN_MAX_LOST: '3',
          RIG_GRACE_MS: String(GRACE_MS),
        },
      });
      const each = rig.size.partitions / rig.size.sensors;
      const client = createClient(rig.engine);
      const clients = createClients(rig.history, random);
      const patient = new Set<string>();
      try {
        const members: Member[] = await Promise.all(
          (['server', 'worker', 'server', 'worker', 'worker'] as const).map((role) => rig.start(role)),
        );
        await rig.begin(0);
        let over = false;
        const people = clients.work(
          () => members.find(({ role }) => role === 'server')?.url ?? '',
          () => over,
        );
        let replaced = 0;
        for (; replaced < REPLACEMENTS && !random.timeIsUp(); replaced++) {
          rig.history.available = Math.ceil((each * (replaced + 1)) / REPLACEMENTS);
          // As an upgrade goes: the new one is up before the old one is asked to stop, and nobody is sent to that any more.
          const [old] = members.splice(0, 1);
          if (old === undefined) throw new RangeError('there are five');
          members.push(await rig.start(old.role));
          if (old.role === 'worker') {
            const config = { work_ms: 4 * GRACE_MS };
            for (let i = 0; i < 6; i++) {
              const partitions = [`${50_000 + 10 * replaced + i}_2024-01-01`];
              patient.add((await client.submit({ job: 'deed_job', partitions, config, cause: 'rig' })).runId);
            }
            const isAtOne = (entry: Entry) => entry.kind === 'enter' && entry.pid === old.pid && patient.has(entry.run);
            await until(() => rig.history.entries.some(isAtOne), 'it is at something that takes long', 3_000).catch(
              () => {},
            );
          }
          old.child.kill('SIGTERM');
          expect(await old.ended).toBe(0);
        }
        over = true;
        await people;
        expect(await rig.judge({ endsAllowed: ['cancelled'] })).toEqual([]);
        const [lost, fenced] = await rig.engine.redis.hmget(rig.engine.keys.stats, 'lost_attempts', 'fenced_commits');
        const handedOn = await countEvents(rig, [...patient], 'attempt.handed_on');
        report('F18 rolling restart', {
          replaced,
          'attempts handed on': handedOn,
          ...clients.asked,
          seed: random.seed,
        });
        expect({ lost: Number(lost), fenced: Number(fenced), broken: clients.asked.broken }).toEqual({
          ...{ lost: 0, fenced: 0, broken: 0 },
        });
        expect(handedOn).toBeGreaterThan(0);
      } finally {
        await rig.close();
      }
    }),
  LONG,
);

async function countEvents({ engine }: Rig, runs: readonly string[], type: string): Promise<number> {
  let count = 0;
  for (const run of runs)
    for (const [, flat] of await engine.redis.xrange(engine.keys.runEvents(run), '-', '+'))
      if (flat[flat.indexOf('t') + 1] === type) count++;
  return count;
}
