/**
 * Requests that want too much: each is refused before anything is made of it, and others are served meanwhile. The long
 * form holds slow connections, streams and heavy requests open for a minute and says how long others waited.
 */

import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

import { type SkeinServer, startServer } from '../../src/api/server.ts';
import { type ApiHarness, closeApis, openApi } from '../api/harness.ts';
import { SILENT, until } from '../engine/harness.ts';

const SECONDS = Number(process.env.SKEIN_OVERLOAD_SECONDS ?? 0);

const closing: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await closeApis();
});

async function serve(): Promise<{ api: ApiHarness; server: SkeinServer; port: number }> {
  const api = await openApi(undefined, { env: { SKEIN_REQUESTS_PER_MINUTE: '100000000' } });
  const server = await startServer(api.engine, { host: '127.0.0.1', port: 0, log: SILENT, pulse: false });
  closing.push(() => server.close());
  return { api, server, port: Number(new URL(server.url).port) };
}

const many = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);
const tile = (more: object) => ({ rows: ['1'], from: 0, to: 1, ...more });

test('huge lists, limits, rectangles and bodies are refused before anything is made of them', async () => {
  const { api } = await serve();
  for (const [url, body] of [
    ['/api/v1/launch', { job: 'events_job', partitions: many(10_001, '1_2024-01-15') }],
    ['/api/v1/launch', { job: 'events_job', partitions: many(1_000_000, '1') }],
    ['/api/v1/assets/events/partitions/tiles', tile({ rows: many(5_000, '1'), to: 10_000_000 })],
    ['/api/v1/assets/events/partitions/tiles', tile({ to: 1e300 })],
    ['/api/v1/assets/events/partitions/values', { ...tile({ rows: many(1_000, '1'), to: 10_000_000 }), of: 'rows' }],
    ['/api/v1/backfills/plan', { job: 'events_job', ids: many(10_001, '1') }],
    ['/api/v1/backfills/plan', { job: 'events_job', ids: ['1..9007199254740991'] }],
  ] as const) {
    const { status } = await api.post(url, body);
    expect([url, status === 400 || status === 413]).toEqual([url, true]);
  }
  for (const url of [
    '/api/v1/runs?limit=1000000',
    '/api/v1/audit?after=40501701718235816994',
    '/api/v1/audit?after=1-40501701718235816994',
    '/api/v1/runs?limit=1e9',
    '/api/v1/failures?runs=1000000',
    `/api/v1/runs?q=${'x'.repeat(501)}`,
    `/api/v1/search?q=${'x'.repeat(10_000)}`,
    `/api/v1/runs?${many(1_000, 'tag=a%3Db').join('&')}`,
  ])
    expect([url.slice(0, 60), (await api.get(url)).status]).toEqual([url.slice(0, 60), 400]);
});

test('what blows up regular expressions is only text', async () => {
  const { api } = await serve();
  for (const q of [
    '"'.repeat(500),
    '"\\'.repeat(250),
    `${'a'.repeat(499)}:`,
    'a:'.repeat(250),
    '\\\\'.repeat(250),
    '(a+)+$',
    `after:${'9'.repeat(490)}`,
    'tag:='.repeat(100),
    ' '.repeat(500),
  ]) {
    const { status } = await api.get(`/api/v1/runs?q=${encodeURIComponent(q)}`);
    expect([q.slice(0, 20), status === 200 || status === 400]).toEqual([q.slice(0, 20), true]);
  }
  const { body } = await api.post('/api/v1/launch', { job: 'events_job', partitions: ['1_2024-01-15'] });
  const found = await api.get(`/api/v1/runs/${String(body.run_id)}/log/find?q=${encodeURIComponent('(x+x+)+y')}`);
  expect(found.status).toBe(200);
});

test('a body that is packed is not unpacked', async () => {
  const { server } = await serve();
  const bomb = gzipSync(Buffer.alloc(50_000_000, 0x20));
  for (const encoding of ['gzip', 'deflate', 'br', 'gzip, gzip']) {
    const reply = await fetch(`${server.url}/api/v1/launch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': encoding },
      body: bomb,
    });
    expect([encoding, reply.status]).toEqual([encoding, 400]);
  }
});

test('whoever sends slowly is let go by rule, not by chance', async () => {
  const { api } = await serve();
  expect(api.app.server.headersTimeout).toBeLessThanOrEqual(20_000);
  expect(api.app.server.requestTimeout).toBeLessThanOrEqual(60_000);
  expect(api.app.server.maxHeadersCount ?? 2_000).toBeLessThanOrEqual(2_000);
});

test('what is no request, or has too long a head, is answered as every mistake is', async () => {
  const { port } = await serve();
  const send = (text: string) =>
    new Promise<string>((resolve, reject) => {
      let answer = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(text));
      socket.on('data', (chunk) => (answer += String(chunk)));
      socket.on('close', () => resolve(answer));
      socket.on('error', reject);
    });
  for (const [text, status] of [
    [`GET /api/v1/runs?q=${'x'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 431],
    [`GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'x'.repeat(100_000)}\r\n\r\n`, 431],
    ['nonsense\r\n\r\n', 400],
  ] as const) {
    const answer = await send(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain('application/problem+json');
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ status, code: 'REQUEST_INVALID' });
  }
});

(SECONDS > 0 ? test : test.skip)(
  'others are served while connections are held, streams are open and heavy requests come',
  async () => {
    const { api, server, port } = await serve();
    let letGo = 0;
    const slow: Socket[] = Array.from({ length: 500 }, (_, i) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.on('close', () => letGo++);
      socket.write(
        i % 2 === 0
          ? 'GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\nX-Slow: '
          : 'POST /api/v1/launch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{',
      );
      return socket;
    });
    const drip = setInterval(() => slow.forEach((socket) => socket.writable && socket.write('a')), 1_000);
    closing.push(() => {
      clearInterval(drip);
      slow.forEach((socket) => socket.destroy());
    });
    const controller = new AbortController();
    closing.push(() => controller.abort());
    const streams = await Promise.allSettled(
      Array.from({ length: 1_200 }, () => fetch(`${server.url}/api/v1/events`, { signal: controller.signal })),
    );
    const statuses = streams.map((one) => (one.status === 'fulfilled' ? one.value.status : 0));
    const before = process.memoryUsage().rss;
    const took: number[] = [];
    const ends = performance.now() + SECONDS * 1_000;
    const heavy = async () => {
      while (performance.now() < ends)
        await api.post('/api/v1/assets/events/partitions/tiles', tile({ rows: many(5_000, '1'), to: 700 }));
    };
    const light = async () => {
      while (performance.now() < ends) {
        const began = performance.now();
        const { status } = await fetch(`${server.url}/api/v1/runs?limit=20`);
        if (status === 200) took.push(performance.now() - began);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await Promise.all([heavy(), light(), light()]);
    // Slow headers for 20 s, slow bodies for 60 s, and the look every five.
    await until(
      async () => letGo,
      (gone) => gone === slow.length,
      90_000,
    );
    took.sort((a, b) => a - b);
    const count = (status: number) => statuses.filter((one) => one === status).length;
    process.stderr.write(
      `overload: ${slow.length} slow connections let go, ${count(200)} streams held, ${count(503)} refused; ` +
        `${took.length} requests beside it, p50 ${took[took.length >> 1]?.toFixed(0)} ms, ` +
        `p95 ${took[Math.floor(took.length * 0.95)]?.toFixed(0)} ms; memory of client and server grew by ` +
        `${((process.memoryUsage().rss - before) / 1_048_576).toFixed(0)} MB\n`,
    );
    expect([count(200), count(503)]).toEqual([1_000, 200]);
  },
  600_000,
);
