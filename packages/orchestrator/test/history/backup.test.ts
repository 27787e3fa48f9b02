/** Back up in the middle of work, lose everything, restore, finish: nothing twice, and the old world is refused. */

import { mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';

import { createClient } from '../../src/engine/client.ts';
import { createBackfill, readBackfill } from '../../src/engine/backfill.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { createBackup } from '../../src/history/backup/backup.ts';
import { backupIfDue, backupName } from '../../src/history/backup/hourly.ts';
import { restoreBackup } from '../../src/history/backup/restore.ts';
import { verifyBackup } from '../../src/history/backup/verify.ts';
import { takeMaintenanceLock } from '../../src/history/maintenance.ts';
import { startUpkeep } from '../../src/history/upkeep.ts';
import { SILENT, until } from '../engine/harness.ts';
import { type HistoryHarness, days, openHistory } from './harness.ts';

const open: HistoryHarness[] = [];
const history = async (...args: Parameters<typeof openHistory>) => {
  const made = await openHistory(...args);
  open.push(made);
  return made;
};
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

const PAUSE = { maxPauseMs: 10_000 };
const fileOf = (h: HistoryHarness) => path.join(h.dir, 'backup.jsonl.gz');

function raise(message: string): never {
  throw new TypeError(message);
}

/** Every key of the ledger that a backup holds, in comparable form. */
async function everything({ redis, keys }: Engine): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  for (const key of (await redis.keys(`${keys.prefix}:*`)).sort()) {
    const name = key.slice(keys.prefix.length + 1);
    if (/^(bull:|workers|pulse$|lock:)/.test(name)) continue;
    const type = await redis.type(key);
    found.set(
      name,
      type === 'string'
        ? await redis.getBuffer(key)
        : type === 'hash'
          ? await redis.hgetall(key)
          : type === 'set'
            ? (await redis.smembers(key)).sort()
            : type === 'zset'
              ? await redis.zrange(key, 0, '-1', 'WITHSCORES')
              : type === 'list'
                ? await redis.lrange(key, 0, -1)
                : await redis.xrange(key, '-', '+'),
    );
  }
  return found;
}

async function expectQuiet({ redis, keys, script }: Engine): Promise<void> {
  expect({
    leases: await redis.zcard(keys.leases),
    outbox: await redis.zcard(keys.outbox),
    held: await redis.hlen(keys.holders('events')),
    open: await redis.scard(keys.openRuns('events_job')),
  }).toEqual({ leases: 0, outbox: 0, held: 0, open: 0 });
  for (const row of await redis.zrange(keys.rows('events'), 0, '-1')) {
    expect(JSON.parse(String(await script('recount', 'events', row, 0)))).toMatchObject({ equal: true });
  }
}

test('what is quiet comes back to the letter', async () => {
  const h = await history(({ key }) => {
    if (key.startsWith('2_')) throw new TypeError('a bad day');
    return { text: 'ünïcödé “”' };
  });
  await h.worker();
  await h.work([...days(1, 5), ...days(2, 2)], true);
  const { runId } = await h.client.submit({ job: 'chunks_job', config: { team_ids: [1, 2, 3] }, cause: 'test' });
  await h.client.wait(runId);
  const before = await everything(h.engine);
  const made = await createBackup(h.engine, fileOf(h), PAUSE);
  expect(made.records).toBeGreaterThanOrEqual(before.size);
  expect(await verifyBackup(fileOf(h))).toMatchObject({ runs: 8, partitions: 10, problems: [], problemCount: 0 });
  await restoreBackup(h.engine, fileOf(h), { force: true });
  expect(await everything(h.engine)).toEqual(before);
});

test('into another prefix: waiting runs keep their place behind the partition that they wait for', async () => {
  const h = await history(
    ({ signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
  );
  await h.worker();
  const first = await h.client.submit({ job: 'events_job', partitions: ['1_2024-01-01'], cause: 'test' });
  const second = await h.client.submit({ job: 'events_job', partitions: ['1_2024-01-01'], cause: 'test' });
  await until(
    () => h.client.run(first.runId),
    (run) => run.status === 'STARTED',
  );
  await createBackup(h.engine, fileOf(h), PAUSE);
  const other = await history(() => ({ made: 'again' }));
  await restoreBackup(other.engine, fileOf(h), { force: false });
  await other.client.cancel(second.runId, 'test');
  expect((await other.client.run(second.runId)).status).toBe('CANCELED');
  expect(await other.engine.redis.keys(`${other.engine.keys.prefix}:wait:*`)).toEqual([]);
  await other.worker();
  expect(await other.client.wait(first.runId)).toMatchObject({ status: 'SUCCESS', result: { made: 'again' } });
  await expectQuiet(other.engine);
});

test('backed up in the middle of work, lost, restored: all is done once, survivors are refused', async () => {
  const effects: { key: string; epoch: number; ofOldWorld: boolean }[] = [];
  let release = () => {};
  const blocked = new Promise<void>((resolve) => (release = resolve));
  let survivorsHold = 0;
  let old = true;
  const h = await history(async ({ key, epoch }) => {
    const ofOldWorld = old;
    if (old && key >= '1_2024-01-11') {
      survivorsHold++;
      await blocked; // whatever the ledger says meanwhile
    }
    effects.push({ key, epoch, ofOldWorld });
    return { epoch };
  });
  await h.worker({ concurrency: 4 });
  const request = { job: 'events_job', ids: ['1'], from: '2024-01-01', to: '2024-02-09', maxActive: 4 };
  const { id } = await createBackfill(h.engine, request, 'test');
  await until(
    async () => survivorsHold,
    (n) => n === 4,
  );
  const done = (await readBackfill(h.engine, id)).succeeded;
  expect(done).toBe(10);
  const oldAttempts = await Promise.all(
    (await h.engine.redis.zrange(h.engine.keys.leases, 0, '-1')).map(async (attempt) => {
      const unit = attempt.slice(0, attempt.lastIndexOf('.'));
      return [attempt, Number(await h.engine.redis.hget(h.engine.keys.unit(unit), 'epoch'))] as const;
    }),
  );
  expect(oldAttempts).toHaveLength(4);
  await createBackup(h.engine, fileOf(h), PAUSE);
  expect(await verifyBackup(fileOf(h))).toMatchObject({ problems: [] });

  old = false;
  await restoreBackup(h.engine, fileOf(h), { force: true });
  const commit = JSON.stringify({ outcomes: [['1_2024-01-11', 'materialized', '{"o":"materialized"}']] });
  for (const [attempt, epoch] of oldAttempts) {
    expect((await h.engine.settle([attempt, epoch, 'ok', commit])).committed).toBe(false);
    expect(await h.engine.script('renew', 60_000, attempt, epoch)).toEqual(['lost']);
  }
  const fresh = await h.another();
  await h.worker({ concurrency: 4 });
  const ended = await until(
    () => readBackfill(fresh, id),
    (b) => b.status !== 'IN_PROGRESS',
    40_000,
  );
  expect(ended).toMatchObject({ status: 'COMPLETED', succeeded: 40, failed: 0, requested: 40 });
  release(); // the old world wakes up, has its effect, and has nothing to commit to
  await until(
    async () => effects.length,
    (n) => n === 40 + 4,
  );

  const runs = await createClient(fresh).runs({ limit: 100 });
  expect(runs).toHaveLength(40);
  const committed = await Promise.all(
    runs.map(async ({ id: run }) => {
      const [partition] = (await createClient(fresh).run(run)).partitions;
      return [partition?.key, partition?.metadata.epoch] as const;
    }),
  );
  expect(new Set(committed.map(([key]) => key)).size).toBe(40);
  // What was done before the backup stays as it was; what ran then was committed by the new world only.
  for (const [key = '', epoch] of committed) {
    const by = effects.find((one) => one.key === key && one.epoch === epoch);
    expect({ key, ofOldWorld: by?.ofOldWorld }).toEqual({ key, ofOldWorld: key < '1_2024-01-11' });
    expect(epoch).toBe(Math.max(...effects.filter((one) => one.key === key).map((one) => one.epoch)));
  }
  await expectQuiet(fresh);
});

test('a fan-out run goes on with the tasks that were not done, a run that was being cancelled ends cancelled', async () => {
  let old = true;
  const made: string[] = [];
  const h = await history(({ key, signal }) => {
    if (old && (key === '4_2024-01-01' || key === '9_2024-01-01')) {
      return new Promise((_resolve, reject) => {
        // Hears of nothing while the old world stands, as a worker that is cut off.
        signal.addEventListener('abort', () => !old && reject(signal.reason as Error));
      });
    }
    made.push(key);
    return { rows: 1 };
  });
  await h.worker();
  const fan = await h.client.submit({ job: 'chunks_job', config: { team_ids: [1, 2, 3, 4, 5, 6] }, cause: 'test' });
  const single = await h.client.submit({ job: 'events_job', partitions: ['9_2024-01-01'], cause: 'test' });
  await until(
    async () => ({
      made: made.length,
      leases: await h.engine.redis.zcard(h.engine.keys.leases),
      single: (await h.client.run(single.runId)).status,
    }),
    (seen) => seen.made === 5 && seen.leases === 2 && seen.single === 'STARTED',
  );
  await h.client.cancel(single.runId, 'test');
  await createBackup(h.engine, fileOf(h), PAUSE);
  expect(await verifyBackup(fileOf(h))).toMatchObject({ problems: [] });
  const other = await history(({ key }) => {
    made.push(key);
    return { rows: 2 };
  });
  await restoreBackup(other.engine, fileOf(h), { force: false });
  old = false;
  await other.worker();
  const run = await other.client.wait(fan.runId);
  expect(run).toMatchObject({ status: 'SUCCESS', counts: { total: 6, materialized: 6, failed: 0 } });
  // The partition that its task had settled before keeps what it was settled with.
  expect(run.partitions.map((p) => p.metadata.rows).sort()).toEqual([1, 1, 1, 1, 1, 2]);
  expect(await other.client.wait(single.runId)).toMatchObject({ status: 'CANCELED', counts: { materialized: 0 } });
  await expectQuiet(other.engine);
});

test('a sensor goes on from its cursor, and the tick of the old world is refused', async () => {
  const h = await history(() => ({}));
  const { redis, keys, script } = h.engine;
  await script('switch-sensor', 'feed', 'RUNNING', 'test');
  const [tick] = (await script('claim-ticks', 10, 60_000, 5_000)) as string[];
  const [, cursor, version] = (await script('begin-tick', tick ?? '', 'old worker')) as string[];
  await createBackup(h.engine, fileOf(h), PAUSE);
  await restoreBackup(h.engine, fileOf(h), { force: true });
  const commit = { sensor: 'feed', tick, version: Number(version), cursor: '{"next":99}', requests: [], reason: '' };
  expect(await script('commit-tick', JSON.stringify(commit))).toEqual(['fenced']);
  expect(await redis.hgetall(keys.tick(tick ?? ''))).toMatchObject({ status: 'FAILURE', decision: 'timed_out' });
  expect(await redis.hget(keys.sensor('feed'), 'cursor')).toBe(cursor);
  await redis.zadd(keys.due, 0, 'feed');
  const [next] = (await script('claim-ticks', 10, 60_000, 5_000)) as string[];
  expect(next).toBe('feed.1000002');
});

test('work that goes on while a backup is taken gives a ledger that is sound', async () => {
  const h = await history(() => ({}));
  await h.worker({ concurrency: 20 });
  const request = { job: 'events_job', ids: ['1..5'], from: '2024-01-01', to: '2024-03-10', maxActive: 50 };
  const { id } = await createBackfill(h.engine, request, 'test');
  for (let i = 0; i < 3; i++) {
    const before = (await readBackfill(h.engine, id)).succeeded;
    await until(
      () => readBackfill(h.engine, id),
      (b) => b.succeeded > before || b.status !== 'IN_PROGRESS',
    );
    await createBackup(h.engine, fileOf(h), PAUSE);
    expect(await verifyBackup(fileOf(h))).toMatchObject({ problems: [], problemCount: 0 });
  }
  const other = await history(() => ({}));
  await restoreBackup(other.engine, fileOf(h), { force: false });
  await other.worker({ concurrency: 20 });
  const ended = await until(
    () => readBackfill(other.engine, id),
    (b) => b.status !== 'IN_PROGRESS',
    60_000,
  );
  expect(ended).toMatchObject({ status: 'COMPLETED', succeeded: 350, failed: 0 });
  await expectQuiet(other.engine);
});

test('a pause that is too short gives no backup, and writes go on', async () => {
  const h = await history(() => ({}));
  const row = Array.from({ length: 20_000 }, (_, i) => [`f${i}`, 'x'.repeat(50)]).flat();
  await h.engine.redis.hset(`${h.engine.keys.prefix}:keys:s`, ...row);
  await expect(createBackup(h.engine, fileOf(h), { maxPauseMs: 1 })).rejects.toMatchObject({ code: 'REFUSED' });
  await expect(readFile(fileOf(h))).rejects.toThrow('ENOENT');
  await expect(readFile(`${fileOf(h)}.part`)).rejects.toThrow('ENOENT');
  await h.engine.redis.set(`${h.engine.keys.prefix}:x`, '1');
  await createBackup(h.engine, fileOf(h), PAUSE);
  const other = await history(() => ({}));
  await restoreBackup(other.engine, fileOf(h), { force: false });
  expect(await other.engine.redis.hlen(`${other.engine.keys.prefix}:keys:s`)).toBe(20_000);
});

test('a pause that somebody else lifts is noticed by what was written meanwhile, and taken again', async () => {
  const h = await history(() => ({}));
  await h.client.submit({ job: 'events_job', partitions: ['1_2024-01-01'], cause: 'test' });
  const { redis, keys } = h.engine;
  const stranger = redis.duplicate();
  const scan = redis.scan.bind(redis) as (...args: unknown[]) => Promise<[string, string[]]>;
  let scans = 0;
  const spy = jest.spyOn(redis, 'scan').mockImplementation((async (...args: unknown[]) => {
    if (scans++ === 0) {
      await stranger.call('CLIENT', 'UNPAUSE');
      await stranger.hset(`${keys.prefix}:keys:s`, 'late', 'x');
    }
    return scan(...args);
  }) as typeof redis.scan);
  const calls = jest.spyOn(redis, 'call');
  try {
    await createBackup(h.engine, fileOf(h), PAUSE);
    expect(calls.mock.calls.filter((args) => args.includes('PAUSE'))).toHaveLength(2);
    expect(await verifyBackup(fileOf(h))).toMatchObject({ problems: [] });
  } finally {
    spy.mockRestore();
    calls.mockRestore();
    stranger.disconnect();
  }
});

test('what the old world writes while its ledger is removed and restored neither stops that nor stays', async () => {
  const h = await history(() => ({}));
  await h.worker();
  // Indexes by time are in the file in two parts, up to this second and after it, with all these runs in between.
  await h.work(days(1, 300), true);
  const second = async () => Number((await h.engine.redis.time())[0]);
  const ended = await second();
  await until(second, (now) => now > ended);
  await h.work(days(2, 1), true);
  const [run = ''] = await h.engine.redis.zrange(h.engine.keys.runs, 0, '0');
  const before = await everything(h.engine);
  await createBackup(h.engine, fileOf(h), PAUSE);
  const { redis, keys } = h.engine;
  const unlink = redis.unlink.bind(redis) as (...args: unknown[]) => Promise<number>;
  const spy = jest.spyOn(redis, 'unlink').mockImplementation((async (...args: unknown[]) => {
    const gone = await unlink(...args);
    await redis.xadd(keys.events, '*', 't', 'late');
    await redis.hset(keys.run(run), 'late', 'x');
    return gone;
  }) as typeof redis.unlink);
  try {
    await restoreBackup(h.engine, fileOf(h), { force: true });
  } finally {
    spy.mockRestore();
  }
  // The worker lives on, and tells what is defined again; its pulse clears away what that leaves of sensors that are off.
  await until(
    () => everything(h.engine),
    (now) => isDeepStrictEqual(now, before),
  );
});

test('a ledger that holds something, or has workers, is not restored over', async () => {
  const h = await history(() => ({}));
  await createBackup(h.engine, fileOf(h), PAUSE);
  await h.engine.script('set-cursor', 'feed', '{"next":2}', 'ana', 'moved', '', 0);
  await expect(restoreBackup(h.engine, fileOf(h), { force: false })).rejects.toMatchObject({
    code: 'REFUSED',
    message: expect.stringContaining('is not empty'),
  });
  const other = await history(() => ({}));
  await other.client.submit({ job: 'events_job', partitions: ['1_2024-01-01'], cause: 'test' });
  await expect(restoreBackup(other.engine, fileOf(h), { force: false })).rejects.toMatchObject({ code: 'REFUSED' });
  const busy = await history(() => ({}));
  await busy.worker();
  await expect(restoreBackup(busy.engine, fileOf(h), { force: false })).rejects.toMatchObject({
    message: expect.stringContaining('alive'),
  });
  const lock = await takeMaintenanceLock(h.engine, 'test');
  await expect(createBackup(h.engine, fileOf(h), PAUSE)).rejects.toMatchObject({ code: 'CONFLICT' });
  await lock?.release();
});

test('a restore that dies before its last step leaves nothing to do for anybody, and is repeated with force', async () => {
  const h = await history(() => ({}));
  for (const key of days(1, 5)) await h.client.submit({ job: 'events_job', partitions: [key], cause: 'test' });
  await createBackup(h.engine, fileOf(h), PAUSE);
  const other = await history(() => ({}));
  const { redis, keys } = other.engine;
  let batches = 0;
  const dying = new Proxy(redis, {
    get(target, name) {
      if (name === 'multi') return () => (++batches > 1 ? raise('killed here') : target.multi());
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  await expect(restoreBackup({ redis: dying, keys }, fileOf(h), { force: false })).rejects.toThrow('killed here');
  expect(await redis.zcard(keys.runs)).toBe(5);
  await expect(restoreBackup(other.engine, fileOf(h), { force: false })).rejects.toMatchObject({ code: 'REFUSED' });
  await other.worker();
  expect(await other.engine.script('admit', 100, 100, 1_000)).toEqual([0, 0]);
  await restoreBackup(other.engine, fileOf(h), { force: true });
  await until(
    () => redis.zcard(keys.runsByStatus('SUCCESS')),
    (n) => n === 5,
  );
  await expectQuiet(other.engine);
});

test('a damaged, cut, foreign or newer file changes nothing', async () => {
  const h = await history(() => ({}));
  await h.worker();
  await h.work(days(1, 3));
  const made = await createBackup(h.engine, fileOf(h), PAUSE);
  const before = await everything(h.engine);
  const bytes = await readFile(fileOf(h));
  const lines = gunzipSync(bytes).toString().trimEnd().split('\n');
  const spoilt: Record<string, Buffer> = {
    foreign: Buffer.from('hello'),
    flipped: Buffer.from(bytes.map((byte, i) => (i === Math.floor(made.bytes / 2) ? byte ^ 0xff : byte))),
    endless: gzipSync(lines.slice(0, -1).join('\n')),
    short: gzipSync([...lines.slice(0, 3), ...lines.slice(4)].join('\n')),
    newer: gzipSync([lines[0]?.replace('"skein_backup":1', '"skein_backup":9'), ...lines.slice(1)].join('\n')),
    newerLedger: gzipSync([lines[0]?.replace('"state_version":1', '"state_version":9'), ...lines.slice(1)].join('\n')),
    otherJson: gzipSync('{"a":1}\n'),
    noJson: gzipSync('a,b\n1,2\n'),
    empty: Buffer.alloc(0),
  };
  for (const [name, content] of Object.entries(spoilt)) {
    await writeFile(fileOf(h), content);
    await expect(restoreBackup(h.engine, fileOf(h), { force: true }).then(() => name)).rejects.toMatchObject({
      code: 'BACKUP_INVALID',
      exitCode: 2,
    });
  }
  await writeFile(fileOf(h), bytes);
  await truncate(fileOf(h), Math.floor(made.bytes / 2));
  await expect(restoreBackup(h.engine, fileOf(h), { force: true })).rejects.toMatchObject({ code: 'BACKUP_INVALID' });
  await expect(restoreBackup(h.engine, `${fileOf(h)}.nope`, { force: true })).rejects.toMatchObject({
    code: 'BACKUP_INVALID',
    message: 'There is no such file.',
  });
  expect(await everything(h.engine)).toEqual(before);
});

test('an encrypted backup is read with its password only, and not once it was changed', async () => {
  const password = 'correct horse battery staple';
  const h = await history(() => ({}), { env: { SKEIN_BACKUP_PASSWORD: password } });
  await h.worker();
  await h.work(days(1, 3));
  const made = await createBackup(h.engine, fileOf(h), PAUSE);
  const bytes = await readFile(fileOf(h));
  expect(() => gunzipSync(bytes)).toThrow();
  expect(bytes.includes('events_job')).toBe(false);
  expect(await verifyBackup(fileOf(h), password)).toMatchObject({ runs: 3, partitions: 3, problems: [] });
  const before = await everything(h.engine);
  const restore = (given: string | undefined) => restoreBackup(h.engine, fileOf(h), { force: true, password: given });
  await expect(restore(undefined)).rejects.toMatchObject({
    code: 'BACKUP_INVALID',
    message: expect.stringContaining('SKEIN_BACKUP_PASSWORD') as string,
  });
  await expect(restore(`${password}!`)).rejects.toMatchObject({ code: 'BACKUP_INVALID' });
  for (const at of [4, 20, 40, 60, Math.floor(made.bytes / 2), made.bytes - 1]) {
    await writeFile(fileOf(h), Buffer.from(bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))));
    await expect(restore(password).then(() => at)).rejects.toMatchObject({ code: 'BACKUP_INVALID' });
  }
  for (const length of [30, 60, made.bytes - 1]) {
    await writeFile(fileOf(h), bytes.subarray(0, length));
    await expect(restore(password).then(() => length)).rejects.toMatchObject({ code: 'BACKUP_INVALID' });
  }
  expect(await everything(h.engine)).toEqual(before);
  await writeFile(fileOf(h), bytes);
  await restore(password);
  expect(await h.client.runs({ limit: 10 })).toHaveLength(3);
});

test('every hour one of the processes takes a backup, and those that are too old go', async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'skein-test-backups-'));
  const h = await history(() => ({}), { env: { SKEIN_BACKUP_URL: pathToFileURL(dir).href, SKEIN_BACKUP_KEEP: '35d' } });
  try {
    const daysAgo = (count: number) => backupName(new Date(Date.now() - count * 86_400_000));
    for (const name of [daysAgo(36), daysAgo(34), 'skein-by-hand.jsonl.gz']) await writeFile(path.join(dir, name), '');
    const taken = await Promise.all([backupIfDue(h.engine), backupIfDue(h.engine), backupIfDue(h.engine)]);
    const [made, ...more] = taken.filter((one) => one !== undefined);
    expect(more).toEqual([]);
    expect(await verifyBackup(made?.place ?? '')).toMatchObject({ problems: [] });
    expect((await readdir(dir)).sort()).toEqual(
      [path.basename(made?.place ?? ''), daysAgo(34), 'skein-by-hand.jsonl.gz'].sort(),
    );
    const { redis, keys } = h.engine;
    await redis.del(`${keys.prefix}:lock:hourly`);
    expect(await backupIfDue(h.engine)).toBeUndefined();
    const [seconds] = await redis.time();
    await redis.hset(keys.meta, 'backup_at', Number(seconds) * 1_000 - 3_600_000);
    const lock = await takeMaintenanceLock(h.engine, 'archive');
    expect(await backupIfDue(h.engine)).toBeUndefined(); // history is being written
    await lock?.release();
    await redis.del(`${keys.prefix}:lock:hourly`);
    expect(await backupIfDue(h.engine)).toMatchObject({ records: expect.any(Number) as number });
    await startUpkeep(h.engine, SILENT).stop();
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

test('verify finds wrong counters, malformed records and indexes that name nothing', async () => {
  const h = await history(() => ({}));
  const worker = await h.worker();
  const [id = ''] = await h.work(days(1, 2));
  // Its pulse would take the lease back that belongs to nobody.
  await worker.stop();
  const { redis, keys } = h.engine;
  await redis.hincrby(keys.rowCounts('events', '1'), 'o1', 1);
  await redis.hset(keys.run(id), 'config', '{', 'created', 'x');
  await redis.zadd(keys.runs, 1, 'NOBODY');
  await redis.zadd(keys.leases, 1, 'A.0.m.1');
  await createBackup(h.engine, fileOf(h), PAUSE);
  const { problems } = await verifyBackup(fileOf(h));
  expect(problems).toEqual([
    `run ${id}: created, config missing or malformed`,
    'run NOBODY is indexed and has no record',
    'the lease of A.0.m.1 belongs to nothing that runs',
    'counter o1 of the row events:1 differs from a recount of its states',
  ]);
});
