/**
 * A ledger of every layout that was ever released lies in `golden/`, as a backup; each must open here and go on: runs
 * are listed, sensors continue where they were, a backfill finishes. `SKEIN_WRITE_GOLDEN=1` writes that of the present
 * layout, once for each version: one that is released is never written anew.
 */

import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

import { randomBytes } from 'node:crypto';

import { createToken, listTokens } from '../../src/api/access/tokens.ts';
import { appendAudit, readAudit } from '../../src/api/audit.ts';
import { createBackfill, readBackfill } from '../../src/engine/backfill.ts';
import { cursorHistory, getCursor, resetCursor, setCursor } from '../../src/engine/cursor.ts';
import { readPool, setPoolLimit } from '../../src/engine/pools.ts';
import { listRuns, readRun } from '../../src/engine/reads/runs.ts';
import { readSwitches, readTicks } from '../../src/api/reads/sensors.ts';
import { switchTrigger } from '../../src/engine/switch.ts';
import { openTick } from '../../src/engine/tick.ts';
import { createBackup } from '../../src/history/backup/backup.ts';
import { restoreBackup } from '../../src/history/backup/restore.ts';
import { verifyBackup } from '../../src/history/backup/verify.ts';
import { createKeys } from '../../src/store/keys.ts';
import { STATE_VERSION, connectRedis } from '../../src/store/redis.ts';
import { type Behaviour, until } from '../engine/harness.ts';
import { type HistoryHarness, days, openHistory } from './harness.ts';

const GOLDEN = path.join(__dirname, 'golden');
const fileOf = (version: number) => path.join(GOLDEN, `state-${version}.jsonl`);

const open: HistoryHarness[] = [];
const opened = async (...args: Parameters<typeof openHistory>) => {
  const made = await openHistory(...args);
  open.push(made);
  return made;
};
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

const behave: Behaviour = ({ key }) => {
  if (key.startsWith('2_')) throw new TypeError('a bad day');
  return { rows: 7 };
};

async function tick({ engine }: HistoryHarness): Promise<Awaited<ReturnType<typeof readTicks>>[number] | undefined> {
  const id = (await openTick(engine, 'feed', 'test')) ?? '';
  const [ended] = await until(
    () => readTicks(engine, [id]),
    ([one]) => one !== undefined && one.status !== 'STARTED',
  );
  return ended;
}

/** Something of everything, at rest and in the middle of work. */
async function fill(h: HistoryHarness): Promise<void> {
  const { engine } = h;
  const worker = await h.worker();
  await h.work([...days(1, 3), ...days(2, 1)], true);
  const { runId } = await h.client.submit({ job: 'chunks_job', config: { team_ids: [5, 6] }, cause: 'test' });
  await h.client.wait(runId);
  await setCursor(engine, 'feed', { next: 2 }, { by: 'ana', reason: 'skip a day' });
  await resetCursor(engine, 'feed', { by: 'ana', reason: 'start over' });
  await tick(h);
  await until(
    () => engine.redis.scard(engine.keys.openRuns('events_job')),
    (count) => count === 0,
  );
  await worker.stop();
  await switchTrigger(engine, 'sensor', 'feed', 'RUNNING', 'ana');
  await setPoolLimit(engine, 'narrow', 5, { by: 'ana', reason: 'more machines' });
  await createToken(engine, { name: 'ci', role: 'operator', jobs: ['events_job'], by: 'ana' });
  const request = { job: 'events_job', ids: ['3'], from: '2024-01-01', to: '2024-01-06', maxActive: 2 };
  const { id } = await createBackfill(engine, request, 'ana');
  await until(
    () => readBackfill(engine, id),
    ({ requested }) => requested === 2,
  );
  // Behind one that the backfill holds.
  await h.client.submit({ job: 'events_job', partitions: ['3_2024-01-01'], cause: 'test', tags: { late: 'yes' } });
  const who = { actor: 'ana', role: 'admin', ip: '', requestId: '', result: 'ok' };
  await appendAudit(engine, { ...who, action: 'skein backfill', target: `backfill:${id}`, after: { total: 6 } });
}

if (process.env.SKEIN_WRITE_GOLDEN === '1' && !existsSync(fileOf(STATE_VERSION))) {
  test('the present layout is written down', async () => {
    const h = await opened(behave);
    await fill(h);
    const file = path.join(h.dir, 'backup.jsonl.gz');
    await createBackup(h.engine, file, { maxPauseMs: 10_000 });
    const text = gunzipSync(await readFile(file)).toString();
    await writeFile(fileOf(STATE_VERSION), text.replaceAll(hostname().slice(0, 40), 'golden'));
  });
}

test('every layout up to the present one has its file', () => {
  const versions = Array.from({ length: STATE_VERSION }, (_, i) => `state-${i + 1}.jsonl`);
  expect(readdirSync(GOLDEN).sort()).toEqual(versions.sort());
});

test.each(Array.from({ length: STATE_VERSION }, (_, i) => i + 1))(
  'a ledger of layout %d opens and goes on',
  async (version) => {
    const dir = await mkdtemp(path.join(tmpdir(), 'skein-golden-'));
    const prefix = `{g${randomBytes(6).toString('hex')}}`;
    const redis = await connectRedis(process.env.SKEIN_REDIS_URL ?? '');
    try {
      const file = path.join(dir, 'golden.jsonl.gz');
      await writeFile(file, gzipSync(await readFile(fileOf(version))));
      expect(await verifyBackup(file)).toMatchObject({ problems: [], problemCount: 0 });
      await restoreBackup({ redis, keys: createKeys(prefix) }, file, { force: false });
    } finally {
      await redis.quit();
      await rm(dir, { recursive: true });
    }
    const h = await opened(behave, { env: { SKEIN_REDIS_PREFIX: prefix } });
    const { engine } = h;

    const runs = await listRuns(engine, { limit: 100 });
    const byStatus = (status: string) => runs.filter((run) => run.status === status);
    expect({ success: byStatus('SUCCESS').length, failure: byStatus('FAILURE').length, all: runs.length }).toEqual({
      success: 5,
      failure: 1,
      all: 9,
    });
    expect(byStatus('FAILURE')[0]).toMatchObject({ endReason: 'user_error', error: { message: 'a bad day' } });
    const chunks = await readRun(engine, runs.find(({ job }) => job === 'chunks_job')?.id ?? '');
    expect(chunks).toMatchObject({ config: { team_ids: [5, 6] }, result: { chunks: 1, done: 2 } });
    expect(chunks.partitions.map(({ key, outcome }) => [key, outcome])).toEqual([
      ['5_2024-01-01', 'materialized'],
      ['6_2024-01-01', 'materialized'],
    ]);
    expect(await readPool(engine, 'narrow')).toMatchObject({ limit: 5, limitBy: 'set', reason: 'more machines' });
    expect(await listTokens(engine)).toMatchObject([{ name: 'ci', role: 'operator', jobs: ['events_job'] }]);
    expect(await readAudit(engine, { limit: 5 })).toMatchObject([{ actor: 'ana', after: { total: 6 } }]);

    // The sensor goes on with its cursor, and what its generation has launched is not launched again.
    expect(await readSwitches(engine, ['feed'])).toMatchObject([{ status: 'RUNNING', status_by: 'ana' }]);
    await switchTrigger(engine, 'sensor', 'feed', 'STOPPED', 'test');
    expect(await getCursor(engine, 'feed')).toMatchObject({ cursor: { next: 2, until: 3 }, generation: 2 });
    const changes = await cursorHistory(engine, 'feed', 10);
    expect(changes.map(({ reason }) => reason)).toEqual(expect.arrayContaining(['skip a day', 'start over']));
    await h.worker();
    expect(await tick(h)).toMatchObject({ decision: 'requested', cursor_after: { next: 3 } });
    await setCursor(engine, 'feed', { next: 1 }, { by: 'test' });
    expect(await tick(h)).toMatchObject({ decision: 'suppressed' });

    // The backfill and who waits behind it end.
    const backfill = runs.find(({ cause }) => cause.startsWith('backfill:'))?.cause.slice('backfill:'.length) ?? '';
    expect(
      await until(
        () => readBackfill(engine, backfill),
        ({ status }) => status !== 'IN_PROGRESS',
      ),
    ).toMatchObject({ status: 'COMPLETED', requested: 6, succeeded: 6, by: 'ana' });
    const late = runs.find(({ tags }) => tags.late === 'yes')?.id ?? '';
    expect(await h.client.wait(late)).toMatchObject({ status: 'SUCCESS' });
    for (const row of await engine.redis.zrange(engine.keys.rows('events'), 0, '-1'))
      expect(JSON.parse(String(await engine.script('recount', 'events', row, 0)))).toMatchObject({ equal: true });
  },
);
