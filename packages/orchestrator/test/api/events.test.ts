/** The stream of changes over a real connection; and the server that listens. */

import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { startServer } from '../../src/api/server.ts';
import { SILENT } from '../engine/harness.ts';
import { type ApiHarness, closeApis, openApi } from './harness.ts';

const closing: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await closeApis();
});

interface Message {
  readonly event: string;
  readonly id: string;
  readonly data: { readonly type?: string; readonly run_id?: string | null };
}

async function serve(api: ApiHarness, uiRoot = '/nonexistent') {
  const server = await startServer(api.engine, { host: '127.0.0.1', port: 0, log: SILENT, pulse: false, uiRoot });
  closing.push(() => server.close());
  return server;
}

/** Listens until told to stop; messages as they come. */
async function listen(url: string, lastEventId?: string) {
  const controller = new AbortController();
  closing.push(() => controller.abort());
  const reply = await fetch(`${url}/api/v1/events`, {
    signal: controller.signal,
    headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
  });
  const messages: Message[] = [];
  const reading = (async () => {
    let text = '';
    for await (const chunk of reply.body ?? []) {
      text += Buffer.from(chunk as Uint8Array).toString();
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
        const data = field('data');
        if (data !== undefined)
          messages.push({
            event: field('event') ?? '',
            id: field('id') ?? '',
            data: JSON.parse(data) as Message['data'],
          });
      }
    }
  })().catch(() => {});
  return {
    reply,
    messages,
    async stop() {
      controller.abort();
      await reading;
    },
  };
}

const launch = async (api: ApiHarness, partition: string) =>
  String((await api.post('/api/v1/launch', { job: 'events_job', partitions: [partition] })).body.run_id);

const has = (messages: readonly Message[], run: string) => messages.some((one) => one.data.run_id === run);

test('changes arrive as they happen, and a client that was away gets exactly what it missed', async () => {
  const api = await openApi();
  const { url } = await serve(api);
  const first = await listen(url);
  expect(first.reply.headers.get('content-type')).toContain('text/event-stream');
  expect(first.reply.headers.get('x-accel-buffering')).toBe('no');
  const seen = await launch(api, '1_2024-01-01');
  await api.until(
    async () => first.messages,
    (found) => has(found, seen),
  );
  expect(first.messages[0]).toMatchObject({ event: 'hello' });
  const last = first.messages.at(-1)?.id;
  await first.stop();

  const missed = [await launch(api, '2_2024-01-01'), await launch(api, '3_2024-01-01')];
  const second = await listen(url, last);
  const live = await launch(api, '4_2024-01-01');
  await api.until(
    async () => second.messages,
    (found) => [...missed, live].every((run) => has(found, run)),
  );
  const ids = second.messages.map((one) => one.id).filter((_id, i) => second.messages[i]?.event === 'change');
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every((id) => id > String(last))).toBe(true);
  expect(has(second.messages, seen)).toBe(false);
  expect(second.messages.some((one) => one.event === 'reset')).toBe(false);
});

test('a client whose place is beyond the window is told to read everything anew', async () => {
  const api = await openApi();
  const { url } = await serve(api);
  await launch(api, '1_2024-01-01');
  for (const id of ['1-0', 'nonsense', '99999999999999-0']) {
    const client = await listen(url, id);
    await api.until(
      async () => client.messages,
      (found) => found.length > 0,
    );
    expect([id, client.messages[0]?.event]).toEqual([id, 'reset']);
    expect(client.messages[0]?.id).toMatch(/^\d+-\d+$/);
    // From there it goes on.
    const run = await launch(api, `${id.length + 5}_2024-01-01`);
    await api.until(
      async () => client.messages,
      (found) => has(found, run),
    );
    await client.stop();
  }
});

test('many clients share one reader, and leave nothing behind', async () => {
  const api = await openApi();
  const { url } = await serve(api);
  const clients = await Promise.all(Array.from({ length: 30 }, () => listen(url)));
  const system = async () => (await (await fetch(`${url}/api/v1/system`)).json()) as { listeners: number };
  await api.until(system, (found) => found.listeners === 30);
  const run = await launch(api, '1_2024-01-01');
  for (const client of clients)
    await api.until(
      async () => client.messages,
      (found) => has(found, run),
    );
  const readers = ((await api.engine.redis.client('LIST')) as string)
    .split('\n')
    .filter((line) => line.includes('cmd=xread'));
  expect(readers.length).toBeLessThanOrEqual(1 + 5); // other suites may read at the same time
  await Promise.all(clients.map((client) => client.stop()));
  await api.until(system, (found) => found.listeners === 0);
});

test('a stream that was just opening when the server stopped is no fault of anybody', async () => {
  const api = await openApi();
  const errors: string[] = [];
  const log = { ...SILENT, error: (message: string) => void errors.push(message) };
  const server = await startServer(api.engine, { host: '127.0.0.1', port: 0, log, pulse: false });
  let refuse: ((error: Error) => void) | undefined;
  api.engine.redis.xrevrange = () => new Promise<never>((_resolve, reject) => (refuse = reject));
  const opening = fetch(`${server.url}/api/v1/events`).then(
    () => 'opened',
    () => 'let go',
  );
  await api.until(
    async () => refuse,
    (asked) => asked !== undefined,
  );
  await server.close();
  expect(await opening).toBe('let go');
  refuse?.(new Error('Connection is closed.'));
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(errors).toEqual([]);
});

test('without sign-in the server listens on loopback only', async () => {
  const api = await openApi();
  const anywhere = { host: '0.0.0.0', port: 0, log: SILENT, pulse: false };
  await expect(startServer(api.engine, anywhere)).rejects.toMatchObject({ code: 'REFUSED' });
  const insecure = await openApi(undefined, { env: { SKEIN_AUTH_MODE: 'none-insecure' } });
  const warnings: string[] = [];
  const server = await startServer(insecure.engine, {
    ...anywhere,
    log: { ...SILENT, warn: (message) => warnings.push(message) },
  });
  closing.push(() => server.close());
  expect(warnings[0]).toContain('none-insecure');
  const port = new URL(server.url).port;
  const taken = { host: '127.0.0.1', port: Number(port), log: SILENT, pulse: false };
  await expect(startServer(api.engine, taken)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  await expect(openApi(undefined, { env: { SKEIN_AUTH_MODE: 'maybe' } })).rejects.toMatchObject({
    code: 'ENVIRONMENT_INVALID',
  });
});

test('the built dashboard is served with its single-page fallback, and nothing outside of it', async () => {
  const root = mkdtempSync(path.join(tmpdir(), 'skein-ui-'));
  closing.push(() => rmSync(root, { recursive: true }));
  mkdirSync(path.join(root, 'dist/assets'), { recursive: true });
  writeFileSync(path.join(root, 'dist/index.html'), '<title>dashboard</title>');
  writeFileSync(path.join(root, 'dist/assets/app-1.js'), 'export {};');
  writeFileSync(path.join(root, 'secret.txt'), 'secret');
  const api = await openApi();
  const { url } = await serve(api, path.join(root, 'dist'));
  const page = async (at: string) => {
    const reply = await fetch(url + at, { headers: { accept: 'text/html' } });
    return { status: reply.status, text: await reply.text(), cache: reply.headers.get('cache-control') };
  };
  expect((await page('/')).text).toContain('dashboard');
  expect((await page('/runs/01ABC?tab=log')).text).toContain('dashboard');
  expect(await page('/assets/app-1.js')).toMatchObject({
    text: 'export {};',
    cache: expect.stringContaining('immutable'),
  });
  expect((await page('/assets/events')).text).toContain('dashboard');
  for (const at of ['/../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/assets/..%2f..%2fsecret.txt'])
    expect((await page(at)).text).not.toContain('secret');
});
