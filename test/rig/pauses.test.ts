/** Workers that are blocked or stopped and come back, and workers whose clock is wrong: no stale commit, nothing early, nothing twice. */

import { createClient } from '../../packages/orchestrator/src/engine/client.ts';
import { shareOut, strikes, testAttack } from './random.ts';
import { type Member, openRig, report, takeVictim, until } from './rig.ts';

const STOPS = strikes('STOPS', 20);
const WORKERS = 7;
const BLOCKS = strikes('BLOCKS', 20);
const JUMPS = strikes('CLOCK_JUMPS', 12);
const HOUR_MS = 3_600_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

testAttack(
  `${STOPS} workers stopped with SIGSTOP for longer than their lease, in the middle of something, and continued`,
  async (random) => {
    const rig = await openRig({ size: { partitions: Math.max(200, STOPS * 15), workMs: 400, flakyOneIn: 0 } });
    const each = rig.size.partitions / rig.size.sensors;
    try {
      await Promise.all(Array.from({ length: WORKERS }, () => rig.start('worker')));
      await rig.begin(0);
      const stopped = new Set<Member>();
      // Two are always sound, so that somebody takes over.
      const stops = await shareOut(random, STOPS, WORKERS - 2, async (nth) => {
        rig.history.available = Math.ceil((each * (nth + 1)) / STOPS);
        const member = await takeVictim(rig, random, stopped);
        member.child.kill('SIGSTOP');
        await pause(random.whole(4_000, 7_000));
        member.child.kill('SIGCONT');
        stopped.delete(member);
      });
      expect(await rig.judge({ staleAllowed: true })).toEqual([]);
      const { lost, fenced } = await counters(rig);
      report('F9 workers stopped', { stops, 'attempts lost': lost, 'commits refused': fenced, seed: random.seed });
      expect(lost).toBeGreaterThan(0);
    } finally {
      await rig.close();
    }
  },
);

testAttack(`${BLOCKS} attempts whose loop is blocked beyond their lease: none commits`, async (random) => {
  const rig = await openRig({ size: { sensors: 1, partitions: 0, flakyOneIn: 0 } });
  const client = createClient(rig.engine);
  try {
    // Whoever is not blocked takes over; the server pulses while all are.
    await Promise.all([
      rig.start('server'),
      ...Array.from({ length: WORKERS }, () => rig.start('worker', { RIG_CONCURRENCY: '1' })),
    ]);
    const runs: string[] = [];
    for (let i = 0; i < BLOCKS && !random.timeIsUp(); i++) {
      const config = { block_ms: random.whole(4_500, 6_000), work_ms: 0 };
      runs.push(
        (await client.submit({ job: 'deed_job', partitions: [`${i + 1}_2024-01-01`], config, cause: 'rig' })).runId,
      );
    }
    for (const id of runs)
      await until(
        async () => (await client.run(id)).endedAt !== undefined,
        `the end of run ${id}`,
        120_000 + BLOCKS * 10_000,
      );
    expect(await rig.judge({ staleAllowed: true })).toEqual([]);
    const { lost, fenced } = await counters(rig);
    report('F9 loops blocked', {
      attempts: runs.length,
      'attempts lost': lost,
      'commits refused': fenced,
      seed: random.seed,
    });
    expect(lost).toBeGreaterThanOrEqual(runs.length);
    // The others gave up by themselves first; that no stale one got through is the judge's to say.
    expect(fenced).toBeGreaterThan(0);
  } finally {
    await rig.close();
  }
});

testAttack(
  `${JUMPS} jumps of workers' and servers' clocks: nothing early, no tick twice, and readiness says so`,
  async (random) => {
    const rig = await openRig({ size: { partitions: Math.max(200, JUMPS * 10), everyMs: 300 } });
    const each = rig.size.partitions / rig.size.sensors;
    const client = createClient(rig.engine);
    const jumps = [HOUR_MS, -HOUR_MS, 24 * HOUR_MS, -24 * HOUR_MS, 366 * 24 * HOUR_MS, 0];
    try {
      const skewed = await rig.start('server', { RIG_SKEW_MS: String(HOUR_MS) });
      const workers: Member[] = [
        await rig.start('worker'),
        await rig.start('worker', { RIG_SKEW_MS: String(24 * HOUR_MS) }),
      ];
      await rig.begin(0);
      const answer = await fetch(`${skewed.url}/readyz`);
      expect(answer.status).toBe(503);
      expect(JSON.stringify(await answer.json())).toMatch(/clocks agree","ok":false/);
      let struck = 0;
      for (; struck < JUMPS && !random.timeIsUp(); struck++) {
        rig.history.available = Math.ceil((each * (struck + 1)) / JUMPS);
        random.pick(workers).tell(`skew ${random.pick(jumps)}`);
        await rig.victim((members) => random.pick(members));
        await pause(random.whole(100, 600));
      }
      expect(await rig.judge()).toEqual([]);
      // By Redis's clock: no attempt began again before its wait was over, no tick before it was due.
      expect(await earlyRetries(rig)).toEqual([]);
      report('F10 clocks', { jumps: struck, runs: (await client.runs({ limit: 10_000 })).length, seed: random.seed });
    } finally {
      await rig.close();
    }
  },
);

type Opened = Awaited<ReturnType<typeof openRig>>;

async function counters(rig: Opened): Promise<{ lost: number; fenced: number }> {
  const [lost, fenced] = await rig.engine.redis.hmget(rig.engine.keys.stats, 'lost_attempts', 'fenced_commits');
  return { lost: Number(lost ?? 0), fenced: Number(fenced ?? 0) };
}

/** Attempts that began before the wait that the one before them was given, by the ledger's own events. */
async function earlyRetries(rig: Opened): Promise<string[]> {
  const early: string[] = [];
  for (const run of await rig.engine.redis.zrange(rig.engine.keys.runs, 0, '-1')) {
    let notBefore = 0;
    for (const [, flat] of await rig.engine.redis.xrange(rig.engine.keys.runEvents(run), '-', '+')) {
      const field = (name: string) => flat[flat.indexOf(name) + 1] ?? '';
      const at = Number(field('at'));
      if (field('t') === 'attempt.failed')
        notBefore = at + (JSON.parse(field('d')) as { retry_in_ms: number }).retry_in_ms;
      if (field('t') === 'unit.started' && at < notBefore) early.push(`${run}: ${notBefore - at} ms early`);
    }
  }
  return early;
}
