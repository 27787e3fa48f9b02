/** Limits, backfills and cursors under kills and under people who change their minds: exact, whatever was killed. */

import {
  cancelBackfill,
  createBackfill,
  pauseBackfill,
  readBackfill,
  resumeBackfill,
} from '../../packages/orchestrator/src/engine/backfill.ts';
import { getCursor, setCursor } from '../../packages/orchestrator/src/engine/cursor.ts';
import { shareOut, strikes, testAttack } from './random.ts';
import { LEASES_OF_CROWDS, type Member, openRig, report, takeVictim, until } from './rig.ts';

const POOL = 5;
const RUNS = strikes('POOL_RUNS', 60);
const BACKFILLS = strikes('BACKFILLS', 5);
const PARTITIONS = strikes('BACKFILL_PARTITIONS', 200);
/** Backfills beside one another. */
const AT_ONCE = 5;
const LONGEST_MS = 300_000 + AT_ONCE * PARTITIONS * 20;
const BROAD = { RIG_CONCURRENCY: '10' };
const WRITES = strikes('CURSOR_WRITES', 1_000);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

testAttack(
  `a pool of ${POOL}, ${RUNS} runs, a kill for every five: never more at once, all slots free at the end`,
  async (random) => {
    const rig = await openRig({ size: { partitions: RUNS, pool: POOL, workMs: 100 } });
    const each = rig.size.partitions / rig.size.sensors;
    try {
      await Promise.all([1, 2, 3].map(() => rig.start('worker')));
      await rig.begin(0);
      const starting: Promise<unknown>[] = [];
      let kills = 0;
      for (; kills < RUNS / 5 && !random.timeIsUp(); kills++) {
        rig.history.available = Math.ceil((each * (kills + 1)) / (RUNS / 5));
        await rig.kill(await rig.victim((members) => random.pick(members)));
        starting.push(rig.start('worker'));
      }
      await Promise.all(starting);
      expect(await rig.judge({ maxActive: POOL })).toEqual([]);
      report('F16 a pool under kills', { runs: RUNS, kills, limit: POOL, seed: random.seed });
    } finally {
      await rig.close();
    }
  },
);

testAttack(
  `${BACKFILLS} backfills of ${PARTITIONS} paused, resumed and cancelled at random under kills: exact, and nothing cancelled runs later`,
  async (random) => {
    const rig = await openRig({ size: { sensors: 1, partitions: 0, workMs: 30, pool: 200 }, env: LEASES_OF_CROWDS });
    const { history, engine } = rig;
    const backfills: { id: string; cancelled: boolean }[] = [];
    const dying = new Set<Member>();
    const restart = async () => {
      await rig.kill(await takeVictim(rig, random, dying));
      await rig.start('worker', BROAD);
    };
    try {
      await Promise.all(Array.from({ length: 3 }, () => rig.start('worker', BROAD)));
      await shareOut(random, BACKFILLS, AT_ONCE, async (nth) => {
        const request = {
          job: 'deed_job',
          ids: [`${nth * 1_000 + 1}..${nth * 1_000 + PARTITIONS / 10}`],
          from: '2024-01-01',
          to: '2024-01-10',
          maxActive: 20,
        };
        const { id } = await createBackfill(engine, request, 'rig');
        const isOver = async () => (await engine.redis.scard(engine.keys.backfillActive(id))) === 0;
        const cancelled = nth % 2 === 1;
        for (let moves = 0; moves < 4; moves++) {
          const goal = history.entries.length + random.whole(0, PARTITIONS);
          await until(async () => history.entries.length >= goal || (await isOver()), 'work goes on', LONGEST_MS);
          await restart();
          if ((await readBackfill(engine, id)).status !== 'IN_PROGRESS') break;
          await pauseBackfill(engine, id, { by: 'ana', reason: 'wait' });
          await pause(random.whole(0, 300));
          await resumeBackfill(engine, id, { by: 'ana' });
        }
        if (cancelled && (await readBackfill(engine, id)).status === 'IN_PROGRESS')
          await cancelBackfill(engine, id, { by: 'ana' });
        backfills.push({ id, cancelled });
        await until(
          async () => (await isOver()) && (await readBackfill(engine, id)).status !== 'IN_PROGRESS',
          'the end of the backfill',
          LONGEST_MS,
        );
      });
      const before = history.entries.length;
      expect(await rig.judge({ endsAllowed: ['cancelled'] })).toEqual([]);
      expect(history.entries.slice(before).filter(({ kind }) => kind === 'enter')).toEqual([]);
      for (const { id, cancelled } of backfills) {
        const { status, succeeded, canceled, requested, failed } = await readBackfill(engine, id);
        expect(succeeded + canceled + failed).toBe(requested);
        if (!cancelled)
          expect({ id, status, succeeded, requested }).toEqual({
            id,
            status: 'COMPLETED',
            succeeded: PARTITIONS,
            requested: PARTITIONS,
          });
      }
      report('F17 backfills', { backfills: backfills.length, partitions: PARTITIONS, seed: random.seed });
    } finally {
      await rig.close();
    }
  },
);

testAttack(
  `${WRITES} writes of a cursor by two people beside its ticks: every version once, every loser told`,
  async (random) => {
    const rig = await openRig({
      size: { sensors: 1, partitions: 100_000, batch: 1, everyMs: 100, flakyOneIn: 0, workMs: 0 },
    });
    try {
      await rig.start('worker');
      await rig.begin(0);
      const won: { version: number; next: number }[] = [];
      let lost = 0;
      const person = async (by: string) => {
        for (let i = 0; i < WRITES / 2 && !random.timeIsUp(); i++) {
          const { version } = await getCursor(rig.engine, 'feed_0');
          const next = random.whole(0, 1_000_000_000);
          if (random.whole(0, 3) === 0) await pause(random.whole(0, 5));
          try {
            won.push({ ...(await setCursor(rig.engine, 'feed_0', { next }, { by, ifVersion: version })), next });
            expect(won.at(-1)?.version).toBe(version + 1);
          } catch (error) {
            expect(error).toMatchObject({ code: 'CONFLICT' });
            lost++;
          }
        }
      };
      await Promise.all([person('ana'), person('ben')]);
      // Linearizable: each version was given to one writer, and what is kept of it is what that one wrote.
      expect(new Set(won.map(({ version }) => version)).size).toBe(won.length);
      const kept = new Map<number, unknown>();
      for (const [, flat] of await rig.engine.redis.xrange(rig.engine.keys.cursorHistory('feed_0'), '-', '+'))
        kept.set(Number(flat[flat.indexOf('v') + 1]), JSON.parse(flat[flat.indexOf('after') + 1] ?? '{}'));
      for (const { version, next } of won) if (kept.has(version)) expect(kept.get(version)).toEqual({ next });
      expect((await getCursor(rig.engine, 'feed_0')).version).toBe(Math.max(...won.map(({ version }) => version)));
      report('F19 cursor writes', { writes: won.length + lost, 'refused with a conflict': lost, seed: random.seed });
      expect(lost).toBeGreaterThan(0);
    } finally {
      await rig.close();
    }
  },
);
