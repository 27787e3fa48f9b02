/**
 * Many clients of the stream of changes while runs begin and end: some read slowly, some lose their connection, some are
 * away for longer than the stream keeps changes, the server is replaced under all of them. In the end each knows of the
 * end of every run, because it was told of it or was told to read anew.
 */

import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

import { type SkeinServer, startServer } from '../../src/api/server.ts';
import { submit } from '../../src/engine/submit.ts';
import { type ApiHarness, closeApis, openApi } from '../api/harness.ts';
import { SILENT, until } from '../engine/harness.ts';
import { type TestSkein, createSkein } from '../cli/skein.ts';
import { type StreamClient, openClient } from './stream-client.ts';

const CLIENTS = Number(process.env.SKEIN_STREAM_CLIENTS ?? 12);
const RUNS = Number(process.env.SKEIN_STREAM_RUNS ?? 20);
const RESTARTS = Number(process.env.SKEIN_STREAM_RESTARTS ?? 1);
/** In the long form servers are processes that are killed, and their memory is looked at. */
const WHOLE = process.env.SKEIN_STREAM_CLIENTS !== undefined;

interface Server {
  readonly url: string;
  replace(): Promise<void>;
  memoryMb(): number | undefined;
  close(): Promise<void>;
}

/** Asks in a thread of its own: this one has all the clients, and would measure itself. */
const ASK = `
const { parentPort, workerData } = require('node:worker_threads');
parentPort.on('message', async () => {
  const began = performance.now();
  const ok = await fetch(workerData).then((reply) => reply.text().then(() => reply.ok), () => false);
  parentPort.postMessage(ok ? performance.now() - began : null);
});`;

/** Gives how many ms an answer took; null where there was none. */
function askFrom(url: string): { ask(): Promise<number | null>; end(): Promise<unknown> } {
  const thread = new Worker(ASK, { eval: true, workerData: url });
  return {
    ask: () =>
      new Promise((resolve) => {
        thread.once('message', resolve);
        thread.postMessage('ask');
      }),
    end: () => thread.terminate(),
  };
}

const closing: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await closeApis();
});

async function serveInside(api: ApiHarness): Promise<Server> {
  let server: SkeinServer = await startServer(api.engine, { host: '127.0.0.1', port: 0, log: SILENT, pulse: false });
  const port = Number(new URL(server.url).port);
  return {
    url: server.url,
    async replace() {
      await server.close();
      server = await startServer(api.engine, { host: '127.0.0.1', port, log: SILENT, pulse: false });
    },
    memoryMb: () => undefined,
    close: () => server.close(),
  };
}

async function serveApart(api: ApiHarness): Promise<Server> {
  const skein: TestSkein = createSkein({
    SKEIN_REDIS_PREFIX: api.engine.keys.prefix,
    SKEIN_REQUESTS_PER_MINUTE: '1000000',
  });
  const start = async (port: number) => {
    const running = skein.start(['server', '--port', String(port), '--json']);
    await running.says(/^\{"url"/m);
    return running;
  };
  let running = await start(0);
  const url = /^\{"url":"([^"]+)"/m.exec(running.output())?.[1] ?? '';
  return {
    url,
    async replace() {
      running.child.kill('SIGKILL');
      await running.ended;
      running = await start(Number(new URL(url).port));
    },
    memoryMb: () =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${running.child.pid ?? 0}/status`, 'utf8'))?.[1]) / 1_024,
    close: () => skein.close(),
  };
}

test('whoever listens knows of every end, however slowly, interrupted or late', async () => {
  const api = await openApi(undefined, { env: { SKEIN_REQUESTS_PER_MINUTE: '1000000' } });
  const { engine } = api;
  const server = WHOLE ? await serveApart(api) : await serveInside(api);
  closing.push(() => server.close());
  const readAll = () => engine.redis.zrange(engine.keys.runsByStatus('CANCELED'), 0, '-1');
  const clients: StreamClient[] = Array.from({ length: CLIENTS }, () => openClient(() => server.url, readAll));
  closing.push(() => clients.forEach((client) => client.close()));
  await until(
    async () => clients.filter((client) => client.counts.connects > 0).length,
    (connected) => connected === CLIENTS,
    120_000,
  );
  const [slow, late] = [clients.filter((_, i) => i % 10 === 0), clients.filter((_, i) => i % 10 === 1)];
  const took: number[] = [];
  const asker = askFrom(`${server.url}/api/v1/runs?limit=20`);
  closing.push(() => asker.end());
  let highestMb = server.memoryMb() ?? 0;
  const atRestMb = highestMb;
  const look = async () => {
    const ms = await asker.ask();
    if (ms !== null) took.push(ms);
    highestMb = Math.max(highestMb, server.memoryMb() ?? 0);
  };

  const ended: string[] = [];
  const endSome = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const partitions = [`${ended.length + 1}_2024-01-15`];
      const { runId } = await submit(engine, { job: 'events_job', partitions, config: {}, cause: 'test' });
      await engine.script('cancel', runId, 'test');
      ended.push(runId);
      if (i % 10 === 0) clients[i % clients.length]?.drop();
      if (i % 20 === 0) await look();
    }
  };
  /** Changes that nobody waits for, large ones: they fill what slow clients have not read, and then the stream's window. */
  const noise = async (count: number) => {
    for (let left = count; left > 0; left -= 1_000) {
      const pipeline = engine.redis.pipeline();
      const facts = JSON.stringify({ job: 'events_job', note: 'n'.repeat(2_000) });
      for (let i = 0; i < Math.min(1_000, left); i++)
        pipeline.xadd(engine.keys.events, 'MAXLEN', '~', 50_000, '*', 't', 'noise', 'r', '', 'at', 0, 'd', facts);
      await pipeline.exec();
      await look();
    }
  };

  await endSome(RUNS / 2);
  for (const client of slow) client.pause();
  await noise(WHOLE ? 10_000 : 2_000);
  for (let i = 0; i < RESTARTS; i++) {
    await endSome(RUNS / 2 / RESTARTS);
    await server.replace();
  }
  // Away for longer than the stream goes back, and its server with them: these are told so.
  for (const client of late) client.leave();
  await engine.redis.xtrim(engine.keys.events, 'MAXLEN', 10);
  await server.replace();
  for (const client of [...slow, ...late]) client.resume();
  await endSome(5);

  const missing = () => clients.reduce((n, client) => n + ended.filter((run) => !client.ended.has(run)).length, 0);
  // However long it takes, as long as it goes on.
  for (let before = missing(); before > 0; before = missing())
    await until(
      () => Promise.resolve(missing()),
      (now) => now < before,
      120_000,
    );
  const sum = (of: (client: StreamClient) => number) => clients.reduce((total, client) => total + of(client), 0);
  expect(sum(({ counts }) => counts.resets)).toBeGreaterThanOrEqual(late.length);
  expect(sum(({ counts }) => counts.repeated)).toBe(0);
  expect(sum(({ counts }) => counts.connects)).toBeGreaterThan(CLIENTS * (1 + RESTARTS));
  if (!WHOLE) return;
  took.sort((a, b) => a - b);
  process.stderr.write(
    `streams: ${CLIENTS} clients, ${ended.length} runs, ${RESTARTS} restarts, ` +
      `${sum(({ counts }) => counts.connects)} connections, ${sum(({ counts }) => counts.resets)} resets, ` +
      `memory ${atRestMb.toFixed(0)} MB, at most ${highestMb.toFixed(0)} MB; ` +
      `GET /runs p50 ${took[took.length >> 1]?.toFixed(0)} ms, p95 ${took[Math.floor(took.length * 0.95)]?.toFixed(0)} ms\n`,
  );
  expect(highestMb).toBeLessThan(1_024);
}, 900_000);

test('a server holds as many streams as it may, refuses more, and takes others when some are gone', async () => {
  const api = await openApi(undefined, { env: { SKEIN_MAX_STREAMS: '5' } });
  const server = await serveInside(api);
  closing.push(() => server.close());
  const open = async () => {
    const controller = new AbortController();
    closing.push(() => controller.abort());
    const reply = await fetch(`${server.url}/api/v1/events`, { signal: controller.signal });
    return { status: reply.status, after: reply.headers.get('retry-after'), leave: () => controller.abort() };
  };
  const held = [await open(), await open(), await open(), await open(), await open()];
  expect(held.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  expect(await open()).toMatchObject({ status: 503, after: '2' });
  expect((await fetch(`${server.url}/api/v1/runs`)).status).toBe(200);
  held[0]?.leave();
  await until(open, ({ status }) => status === 200);
});

test('a change that comes between the beginning of listening and the first read is told', async () => {
  const api = await openApi();
  const server = await serveInside(api);
  closing.push(() => server.close());
  for (let i = 1; i <= 20; i++) {
    const client = openClient(
      () => server.url,
      async () => [],
    );
    await until(
      async () => client.counts.connects,
      (connects) => connects === 1,
    );
    const partitions = [`${i}_2024-01-15`];
    const { runId } = await submit(api.engine, { job: 'events_job', partitions, config: {}, cause: 'test' });
    await api.engine.script('cancel', runId, 'test');
    await until(
      async () => client.ended.has(runId),
      (has) => has,
    );
    client.close();
  }
});

test('what is trimmed before the server could read it: whoever listens is told to read anew', async () => {
  const api = await openApi();
  const { redis, keys } = api.engine;
  const server = await serveInside(api);
  closing.push(() => server.close());
  const client = openClient(
    () => server.url,
    () => Promise.resolve(['UNHEARD']),
  );
  closing.push(() => client.close());
  const change = ['t', 'noise', 'r', '', 'at', 0, 'd', '{}'] as const;
  await redis.xadd(keys.events, '*', ...change);
  await until(
    () => Promise.resolve(client.counts.connects),
    (connects) => connects === 1,
  );
  await until(
    async () => {
      await redis
        .multi()
        .xadd(keys.events, '*', ...change)
        .xadd(keys.events, '*', ...change)
        .xtrim(keys.events, 'MAXLEN', 1)
        .exec();
      return client.ended.has('UNHEARD');
    },
    (told) => told,
  );
  expect(client.counts.resets).toBeGreaterThan(0);
});
