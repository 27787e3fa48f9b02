/**
 * The ledger backed up in the middle of work, then lost with its Redis and all that came after, and restored into an
 * empty one, while the processes of the old world live on and are at work: nothing twice, nothing missing, nothing left.
 */

import { rmSync } from 'node:fs';
import path from 'node:path';

import { createClient } from '../../packages/orchestrator/src/engine/client.ts';
import { createBackup } from '../../packages/orchestrator/src/history/backup/backup.ts';
import { restoreBackup } from '../../packages/orchestrator/src/history/backup/restore.ts';
import { verifyBackup } from '../../packages/orchestrator/src/history/backup/verify.ts';
import { createClients } from './clients.ts';
import type { Entry } from './history.ts';
import { readLedger, untilQuiet } from './ledger.ts';
import { type Random, attack, strikes } from './random.ts';
import { type Rig, openRig, report, until } from './rig.ts';

const RESTORES = strikes('RESTORES', 1);
const LONG = 24 * 3_600_000;
/** Far longer than a restore takes: the old world is in the middle of these when the new one begins. */
const LONG_WORK_MS = 4_000;
/** Of each feed, before the backup, after it, and after the restore. */
const ITEMS = 5;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test(
  `${RESTORES} times backed up in the middle of work, lost with all that came after, restored under workers that live on`,
  () =>
    attack(async (random) => {
      const rig = await openRig({ size: { partitions: 10 * 3 * ITEMS * RESTORES, workMs: 100 } });
      const clients = createClients(rig.history, random);
      const seen = { 'runs lost': 0, 'asked again': 0, 'attempts interrupted': 0 };
      try {
        const [server] = await Promise.all([rig.start('server'), rig.start('worker'), rig.start('worker')]);
        await rig.begin(0);
        let restores = 0;
        for (; restores < RESTORES && !random.timeIsUp(); restores++) {
          const one = await loseAndRestore(rig, random, clients, server.url, restores);
          for (const [what, count] of Object.entries(one)) seen[what as keyof typeof seen] += count;
        }
        expect(await rig.judge({ endsAllowed: ['cancelled'], forgetful: true })).toEqual([]);
        report('C8 restores', { restores, ...seen, ...clients.asked, seed: random.seed });
        expect(seen['runs lost']).toBeGreaterThan(0);
        expect(seen['asked again']).toBeGreaterThan(0);
        expect(seen['attempts interrupted']).toBeGreaterThan(0);
      } finally {
        await rig.close();
      }
    }),
  LONG,
);

async function loseAndRestore(
  rig: Rig,
  random: Random,
  clients: ReturnType<typeof createClients>,
  url: string,
  nth: number,
): Promise<Record<'runs lost' | 'asked again' | 'attempts interrupted', number>> {
  const { engine, history } = rig;
  const client = createClient(engine);
  const file = path.join(rig.folder, `backup-${nth}.jsonl.gz`);
  let over = false;
  const people = clients.work(
    () => url,
    () => over,
  );
  const submitLong = async (from: number) => {
    const config = { work_ms: LONG_WORK_MS };
    const runs: string[] = [];
    for (let i = from; i < from + 3; i++) {
      const partitions = [`${60_000 + 10 * nth + i}_2024-01-01`];
      runs.push((await client.submit({ job: 'deed_job', partitions, config, cause: 'rig' })).runId);
    }
    await until(() => runs.every((run) => hasBegun(rig, run)), 'what takes long has begun');
    return runs;
  };

  history.available += ITEMS;
  await rig.victim((members) => random.pick(members));
  const known = await submitLong(0);
  const before = await idsOf(rig);
  await createBackup(engine, file, { maxPauseMs: 10_000 });
  expect(await verifyBackup(file)).toMatchObject({ problems: [] });

  // Work of which the backup knows nothing; some of it ends, some is under way when all of it is lost.
  history.available += ITEMS;
  await until(rig.allRequested, 'every feed is asked for, after the backup');
  over = true;
  await people;
  const forgotten = await submitLong(5);
  await pause(random.whole(0, 300));
  const interrupted = [...known, ...forgotten].filter((run) => isAtWork(rig, run));
  const old = await idsOf(rig);

  // Cut off while it is restored, as the page on operations asks for; then they come back in the middle of what they were at.
  for (const { child } of rig.members) child.kill('SIGSTOP');
  await rig.redis.kill();
  rmSync(path.join(rig.folder, 'redis', 'appendonlydir'), { recursive: true });
  await rig.redis.start();
  await restoreBackup(engine, file, { force: true });
  for (const { child } of rig.members) child.kill('SIGCONT');
  const restoredAt = history.entries.length;
  const restored = await idsOf(rig);
  expect([...before].filter((id) => !restored.has(id))).toEqual([]);
  const lost = new Set([...old].filter((id) => !restored.has(id)));

  // The feeds go on, so that the old world and the new one are at work side by side.
  history.available += ITEMS;
  await until(rig.allRequested, 'every feed is asked for, after the restore');
  await untilQuiet(engine, rig.allRequested);
  const sound = await readLedger(engine);
  const lostKeys = new Set(
    history.entries.flatMap((entry) => ('key' in entry && lost.has(entry.run) ? entry.key : [])),
  );
  const again = sound.runs.filter(
    ({ id, cause, partitions }) =>
      !old.has(id) && cause.startsWith('sensor:') && partitions.some(({ key }) => lostKeys.has(key)),
  );
  expect(effectsOfOldEpochs(history.entries, restoredAt, forgotten)).toEqual([]);
  for (const run of known) expect((await client.run(run)).status).toBe('SUCCESS');
  return { 'runs lost': lost.size, 'asked again': again.length, 'attempts interrupted': interrupted.length };
}

/** Whoever was at these for the old world has heard within a lease that it is over. */
function effectsOfOldEpochs(entries: readonly Entry[], restoredAt: number, runs: readonly string[]): Entry[] {
  const old = new Set(
    entries.slice(0, restoredAt).flatMap((entry) => (entry.kind === 'enter' ? `${entry.run}|${entry.epoch}` : [])),
  );
  return entries
    .slice(restoredAt)
    .filter((entry) => entry.kind === 'effect' && runs.includes(entry.run) && old.has(`${entry.run}|${entry.epoch}`));
}

const idsOf = async ({ engine }: Rig) => new Set(await engine.redis.zrange(engine.keys.runs, 0, '-1'));

const hasBegun = ({ history }: Rig, run: string) =>
  history.entries.some((entry) => entry.kind === 'enter' && entry.run === run);

const isAtWork = ({ history }: Rig, run: string) => [...history.inside()].some((what) => what.startsWith(`${run}|`));
