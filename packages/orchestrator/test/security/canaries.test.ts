/**
 * Canaries: secrets of a pattern that nothing else has, spilt by user code in every way and every spelling, in a real
 * process. Then everything that people and programs can read is searched for them.
 */

import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';

import type { Redis } from 'ioredis';

import { openEngine } from '../../src/engine/engine.ts';
import { archiveRuns } from '../../src/history/archive.ts';
import { createBackup } from '../../src/history/backup/backup.ts';
import { querySql } from '../../src/history/query.ts';
import { defineDeployment } from '../../src/index.ts';
import { type TestSkein, createSkein, until } from '../cli/skein.ts';

const FIXTURE = path.join(__dirname, 'leaky');
const WAYS = [
  ...['throws', 'logs', 'event', 'metadata', 'skips', 'url', 'phase', 'progress', 'nested', 'unhandled', 'huge'],
  'thrown-text',
];

const canary = (extra = '') => `canary${extra}${randomBytes(12).toString('hex')}`;
const fromUrl = canary('@/: ');
const SECRETS: Readonly<Record<string, string>> = {
  LEAKY_DB_PASSWORD: canary('"\\'),
  LEAKY_PRIVATE_KEY: `-----BEGIN KEY-----\n${canary()}\n${canary()}\n-----END KEY-----\n`,
  AWS_SESSION_TOKEN: canary('/+=='),
  SKEIN_AUTH_ADMIN_TOKEN: canary(),
};
const MADE = canary();
const CONFIG_PASSWORD = canary();

let dir: string;
let skein: TestSkein;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'skein-canaries-'));
  skein = createSkein({
    ...SECRETS,
    LEAKY_DB_URL: `postgres://leaky:${encodeURIComponent(fromUrl)}@127.0.0.1:1/leaky`,
    LEAKY_MADE: MADE,
    SKEIN_AUTH_MODE: 'token',
    SKEIN_LOG_LEVEL: 'debug',
    SKEIN_HISTORY_URL: pathToFileURL(dir).href,
    SKEIN_MAX_LOST: '1',
  });
});
afterEach(async () => {
  await skein.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Any piece of a secret that is long enough to find it by, in any spelling. Written apart from what hides them. */
function traces(secrets: readonly string[]): string[] {
  return secrets.flatMap((secret) => {
    const random = [...secret.matchAll(/[0-9a-f]{24}/g)].map(([hex]) => hex);
    return random.flatMap((hex) => {
      const whole = Buffer.from(secret);
      const at = secret.indexOf(hex);
      const inBase64 = [0, 1, 2].map((offset) =>
        // From the middle of the random part: what lies before may be padding of the spelling.
        Buffer.concat([Buffer.alloc(offset), whole])
          .toString('base64')
          .slice(Math.ceil(((offset + at + 4) * 4) / 3), Math.floor(((offset + at + 20) * 4) / 3)),
      );
      return [hex.slice(0, 12), hex.slice(12), Buffer.from(hex.slice(0, 10)).toString('hex'), ...inBase64];
    });
  });
}

const all = traces([...Object.values(SECRETS), fromUrl, MADE]);

/** Places where a trace was found, with what stands round it. */
function found(places: ReadonlyMap<string, string>, wanted: readonly string[]): string[] {
  return [...places].flatMap(([place, text]) =>
    wanted
      .filter((trace) => text.includes(trace))
      .map((trace) => `${place}: ${text.slice(Math.max(0, text.indexOf(trace) - 60), text.indexOf(trace) + 60)}`),
  );
}

test('the search finds what it looks for', () => {
  for (const secret of [...Object.values(SECRETS), fromUrl, MADE]) {
    for (const text of [
      secret,
      JSON.stringify(secret),
      encodeURIComponent(secret),
      Buffer.from(secret).toString('hex'),
      Buffer.from(secret).toString('base64'),
      Buffer.from(`u:${secret}@h`).toString('base64'),
      Buffer.from(`us:${secret}`).toString('base64'),
      secret.slice(0, Math.ceil(secret.length * 0.7)),
    ])
      expect(found(new Map([['here', `before ${text} after`]]), all)).not.toEqual([]);
  }
});

test('secrets that code spills are in no log, answer, stream, key of Redis, backup, archive or argument list', async () => {
  const places = new Map<string, string>();
  const dev = skein.start(['dev', '--port', '0', '--json'], {}, FIXTURE);
  await dev.says(/^\{"url"/m);
  const url = /^\{"url":"([^"]+)"/m.exec(dev.output())?.[1] ?? '';
  const headers = { authorization: `Bearer ${SECRETS.SKEIN_AUTH_ADMIN_TOKEN}`, 'content-type': 'application/json' };
  const ask = async (method: string, at: string, body?: object) => {
    const reply = await fetch(`${url}${at}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
    const text = await reply.text();
    places.set(`${method} ${at}`, `${text}\n${JSON.stringify(Object.fromEntries(reply.headers))}`);
    return { status: reply.status, text };
  };
  const stream = listen(`${url}/api/v1/events`, headers);

  const launch = async (job: string, partition: string, more: object = {}) => {
    const { text } = await ask('POST', '/api/v1/launch', { job, partitions: [partition], ...more });
    return (JSON.parse(text) as { run_id: string }).run_id;
  };
  const runs = new Map<string, string>();
  for (const way of WAYS) runs.set(way, await launch('leaks_job', way, { config: { password: CONFIG_PASSWORD } }));
  runs.set('in a thread', await launch('thread_job', 'uncaught'));
  runs.set('in a process', await launch('process_job', 'uncaught'));
  runs.set('in a task', await launch('tasks_job', 'acme_2024-01-02'));
  for (const sensor of ['skipping', 'failing']) await ask('POST', `/api/v1/sensors/${sensor}/evaluate`, {});

  for (const [way, run] of runs) {
    await until(
      async () => /"ended_at":"/.test((await ask('GET', `/api/v1/runs/${run}`)).text),
      () => `the end of “${way}”: ${places.get(`GET /api/v1/runs/${run}`)} ${dev.output().slice(-2_000)}`,
    );
    for (const part of [
      '/log?limit=500',
      '/log/window',
      '/log/file',
      '/log/file?format=jsonl',
      '/log/find?q=canary',
      '/events',
      '/why',
      '/partitions',
    ])
      await ask('GET', `/api/v1/runs/${run}${part}`);
  }
  for (const sensor of ['skipping', 'failing']) {
    const ticks = `/api/v1/sensors/${sensor}/ticks`;
    await until(
      async () => /SKIPPED|FAILURE/.test((await ask('GET', ticks)).text),
      () => `a tick of ${sensor}`,
    );
    await ask('GET', `/api/v1/sensors/${sensor}`);
    await ask('POST', `/api/v1/sensors/${sensor}/preview`, {});
  }
  for (const at of ['runs', 'failures', 'audit', 'system', 'overview', 'sensors', 'assets', 'jobs', 'search?q=canary'])
    await ask('GET', `/api/v1/${at}`);
  for (const at of [
    '/metrics',
    '/readyz',
    '/healthz',
    `/api/v1/runs/${MADE}`,
    `/api/v1/${SECRETS.SKEIN_AUTH_ADMIN_TOKEN}`,
  ])
    await ask('GET', at);
  await ask('POST', '/api/v1/launch', { job: `${SECRETS.LEAKY_DB_PASSWORD}`, partitions: [fromUrl] });
  places.set('the stream', await stream.end());
  places.set('arguments of processes', argumentsOf(dev.child.pid ?? 0));

  // What ended leaves for history, a backup is taken; then all of it is read as people would.
  const engine = await openEngine(defineDeployment({ definitions: { jobs: [] } }), { env: skein.env });
  try {
    places.set('Redis', await everyValue(engine.redis, skein.env.SKEIN_REDIS_PREFIX ?? ''));
    const backup = path.join(dir, 'backup.gz');
    await createBackup(engine, backup, { maxPauseMs: 30_000 });
    places.set('the backup', gunzipSync(readFileSync(backup)).toString());
    expect((await archiveRuns(engine, { olderThanMs: 0, limit: 1_000 })).archived).toBe(runs.size);
    for (const view of ['runs', 'run_partitions', 'events', 'ticks', 'partitions'])
      places.set(
        `history: ${view}`,
        JSON.stringify(await querySql(engine, `SELECT * FROM ${view}`, { live: 1_000, maxRows: 10_000 })),
      );
  } finally {
    await engine.close();
  }
  for (const args of [
    ['doctor'],
    ['sql', `SELECT '${SECRETS.SKEIN_AUTH_ADMIN_TOKEN}`],
    ['runs', 'show', `${SECRETS.LEAKY_DB_PASSWORD}`],
  ]) {
    const ended = await skein.start([...args, '--json'], {}, FIXTURE).ended;
    places.set(`skein ${args[0]}`, `${ended.stdout}${ended.stderr}`);
  }
  dev.child.kill('SIGTERM');
  const { stdout, stderr } = await dev.ended;
  places.set('stdout', stdout);
  places.set('stderr', stderr);

  // It was there to be found: code did spill, and the process lived on.
  expect(stderr).toContain('nobody waited for');
  for (const place of [
    'Redis',
    'the backup',
    'history: events',
    'stderr',
    'the stream',
    `GET /api/v1/runs/${runs.get('throws')}`,
  ])
    expect([place, places.get(place)?.includes('***')]).toEqual([place, true]);
  expect(found(places, all)).toEqual([]);

  // A config is kept as it was given, because the run needs it; whoever may look at it sees it masked.
  const keeps = new Set(['Redis', 'the backup', 'history: runs']);
  const shown = new Map([...places].filter(([place]) => !keeps.has(place)));
  expect(found(shown, traces([CONFIG_PASSWORD]))).toEqual([]);
});

/** Of a process and what it started. */
function argumentsOf(pid: number): string {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return name === String(pid) || readFileSync(`/proc/${name}/stat`, 'utf8').split(' ')[3] === String(pid);
      } catch {
        return false; // it has ended meanwhile
      }
    });
  return children.map((name) => readFileSync(`/proc/${name}/cmdline`, 'utf8')).join('\n');
}

function listen(url: string, headers: Record<string, string>): { end(): Promise<string> } {
  const controller = new AbortController();
  let text = '';
  const reading = (async () => {
    const reply = await fetch(url, { headers, signal: controller.signal });
    for await (const chunk of reply.body ?? []) text += Buffer.from(chunk as Uint8Array).toString();
  })().catch(() => {});
  return {
    async end() {
      controller.abort();
      await reading;
      return text;
    },
  };
}

/** Names and values of every key, as text. */
async function everyValue(redis: Redis, prefix: string): Promise<string> {
  const keys = await redis.keys(`${prefix}:*`);
  const values = await Promise.all(
    keys.map(async (key): Promise<unknown> => {
      switch (await redis.type(key)) {
        case 'hash':
          return redis.hgetall(key);
        case 'stream':
          return redis.xrange(key, '-', '+');
        case 'zset':
          return redis.zrange(key, '0', '-1');
        case 'set':
          return redis.smembers(key);
        case 'list':
          return redis.lrange(key, 0, -1);
        default:
          return redis.get(key);
      }
    }),
  );
  return keys.map((key, i) => `${key} ${JSON.stringify(values[i])}`).join('\n');
}
