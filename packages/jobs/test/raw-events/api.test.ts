/** The routes on a whole Skein: a real ledger, a worker, ClickHouse and Kafka, asked over HTTP as the page's curl does. */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import {
  type Publisher,
  clickhouse,
  kafka,
  openClickHouse,
  rawEventsRoutes,
  rawEventsMapperBinding,
  rawEventsSettings,
  reprocessRawEventsJob,
} from '@skein/jobs';
import { type Logger, defineDeployment, provide } from '@skein/orchestrator';
import {
  type Engine,
  type SkeinServer,
  type SkeinWorker,
  openEngine,
  startServer,
  startWorker,
} from '@skein/orchestrator/runtime';

import { testRedis } from '../../../../infra/embedded/test-services/index.ts';
import { codeBlocks } from '../../../../test/markdown.ts';
import { type World, openWorld } from './world.ts';

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const PAGE = readFileSync(path.resolve(__dirname, '../../../../docs/jobs/raw-events.md'), 'utf8');
const PATIENCE_MS = 60_000;

let world: World;
let engine: Engine;
let server: SkeinServer;
let worker: SkeinWorker;
/** Set by a test that wants to look at a run half way. */
let beforePublishing: (key: string) => Promise<void> = async () => {};

beforeAll(async () => {
  world = await openWorld();
  const held: Publisher = {
    ...world.publisher,
    async publishEach(topic, messages, options) {
      await beforePublishing(String(messages[0]?.key));
      return (await world.publisher.publishEach?.(topic, messages, options)) ?? [];
    },
  };
  const redis = testRedis();
  const deployment = defineDeployment({
    definitions: { jobs: [reprocessRawEventsJob], pools: { 'raw-events': 4 } },
    resources: [
      provide(clickhouse, {
        open: async () => openClickHouse(world.clickhouseUrl),
        close: (client) => client.close(),
      }),
      provide(kafka, { open: async () => held }),
      rawEventsMapperBinding,
      provide(rawEventsSettings, { open: async () => world.settings }),
    ],
    routes: [rawEventsRoutes],
  });
  const env = { SKEIN_REDIS_URL: redis.url, SKEIN_REDIS_PREFIX: `{${redis.prefix}}`, SKEIN_PULSE_MS: '100' };
  engine = await openEngine(deployment, { env });
  server = await startServer(engine, { host: '127.0.0.1', port: 0, log: SILENT });
  worker = await startWorker(engine, { concurrency: 8, log: SILENT });
});

afterAll(async () => {
  await worker.stop();
  await server.close();
  const keys = await engine.redis.keys(`${engine.env.SKEIN_REDIS_PREFIX}*`);
  if (keys.length > 0) await engine.redis.del(...keys);
  await engine.close();
  await world.close();
});

interface Shown {
  readonly workflow_id: string;
  readonly status: string;
  readonly progress: { readonly done: number; readonly total: number } | null;
  readonly days: object;
  readonly result: object | null;
}

async function until(workflow: string, wanted: (shown: Shown) => boolean): Promise<Shown> {
  const ends = performance.now() + PATIENCE_MS;
  for (;;) {
    const shown = (await (await fetch(`${server.url}/events/raw/reprocess/${workflow}`)).json()) as Shown;
    if (wanted(shown)) return shown;
    if (performance.now() > ends) throw new RangeError(`waited in vain; last: ${JSON.stringify(shown)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function sh(command: string): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', command]);
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** What an answer that the page shows consists of. */
const keysShown = (command: string) =>
  [...command.matchAll(/^# .*$/gm)].flatMap(([line]) => [...line.matchAll(/"(\w+)":/g)]).map(([, key]) => key);

test('the page’s curl commands, and the answers that it shows', async () => {
  await world.insert([
    { id: '1', external_customer_id: 'customer123', event_name: 'api_request', timestamp: '2024-01-05T10:00:00Z' },
    { id: '2', external_customer_id: 'customer123', event_name: 'other', timestamp: '2024-01-05T10:00:00Z' },
    { id: '3', external_customer_id: 'another', event_name: 'api_request', timestamp: '2024-01-06T10:00:00Z' },
  ]);
  const block = codeBlocks(PAGE).find(({ code }) => code.includes('curl -s localhost:3070/events/raw/reprocess -H'));
  const [post = '', get = ''] = (block?.code ?? '').replaceAll('localhost:3070', server.url).split('\n\n');

  const answer = await sh(post);
  expect(Object.keys(answer)).toEqual(keysShown(post));
  expect(answer).toMatchObject({
    message: 'Raw events reprocessing workflow started successfully',
    workflow_id: `wf_ReprocessRawEventsWorkflow_customer123-api_request_${String(answer.run_id)}`,
    task_queue: 'events',
  });
  const workflow = String(answer.workflow_id);
  await until(workflow, ({ status }) => status === 'SUCCESS');
  const shown = await sh(get.replace(/wf_\S+/, workflow));
  const { result, ...rest } = shown as { result: object };
  expect([...Object.keys(rest), ...Object.keys({ result, ...result })].sort()).toEqual(keysShown(get).sort());
  expect(result).toMatchObject({ total_events_found: 1, total_events_published: 1, processed_batches: 1 });
});

test('progress is the sum of days that run side by side, and so is the result', async () => {
  const days = [1, 2, 3, 4, 5, 6].map((day) => `2024-02-0${day}`);
  await world.insert(
    days.flatMap((day) =>
      Array.from({ length: 20 }, (_, i) => ({
        id: `${day}-${String(i).padStart(2, '0')}`,
        external_customer_id: `of-${day}`,
        timestamp: `${day}T10:00:00Z`,
        ...(i === 7 ? { payload: '{}' } : {}),
      })),
    ),
  );
  let release = () => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  const pages = new Map<string, number>();
  beforePublishing = async (key) => {
    const page = (pages.get(key) ?? 0) + 1;
    pages.set(key, page);
    if (page > 2) await gate;
  };
  const response = await fetch(`${server.url}/api/v1/events/raw/reprocess`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-tenant-id': 't1' },
    body: JSON.stringify({ start_date: '2024-02-01T00:00:00Z', end_date: '2024-02-06T23:59:59.999Z', batch_size: 5 }),
  });
  const { workflow_id: workflow } = (await response.json()) as Shown;

  // Four days, as many as the pool allows, two pages of five each.
  const halfWay = await until(workflow, ({ progress }) => (progress?.done ?? 0) >= 40);
  expect(halfWay).toMatchObject({ status: 'STARTED', progress: { done: 40, total: 80 }, result: null });
  release();
  const end = await until(workflow, ({ result }) => result !== null);
  expect(end).toMatchObject({
    status: 'SUCCESS',
    progress: { done: 120, total: 120 },
    days: { total: 6, materialized: 6, failed: 0 },
    result: {
      total_events_found: 120,
      total_events_published: 114,
      total_events_dropped: 6,
      total_transformation_errors: 0,
      total_events_failed: 0,
      processed_batches: 24,
    },
  });
});

test('a drop reason leads to its events', async () => {
  const at = (day: string) => ({ timestamp: `${day}T10:00:00.500Z` });
  await world.insert([
    { id: 'good', ...at('2024-03-01') },
    { id: 'a', payload: '{"orgId":"o"}', ...at('2024-03-01') },
    { id: 'b', payload: '{"orgId":"o","x":1}', ...at('2024-03-03') },
    { id: "c'\\", payload: '{}', ...at('2024-03-03') },
    // Of the same id, but on a day on which it was not dropped.
    { id: 'b', ...at('2024-03-02') },
  ]);
  const answer = await sh(
    `curl -s ${server.url}/events/raw/reprocess -H 'Content-Type: application/json' -H 'X-Tenant-ID: t1' -d '${JSON.stringify({ start_date: '2024-03-01T00:00:00Z', end_date: '2024-03-03T23:59:59Z' })}'`,
  );
  const workflow = String(answer.workflow_id);
  await until(workflow, ({ status }) => status === 'SUCCESS');
  const command = codeBlocks(PAGE).find(({ code }) => code.includes('/drops'))?.code ?? '';
  const shown = await sh(command.replace('localhost:3070', server.url).replace(/wf_[^/\s]+/, workflow));
  const { drops } = shown as { drops: [{ events: [object] }] };
  const keys = [shown, drops[0], drops[0].events[0]].flatMap((one) => Object.keys(one));
  expect(keys.sort()).toEqual(keysShown(command).sort());
  const event = {
    environment_id: 'e1',
    external_customer_id: 'org-1',
    event_name: 'openai-modeling-gpt-4.1',
  };
  expect(drops).toEqual([
    {
      reason: 'missing_method_name',
      count: 2,
      events: [
        { ...event, raw_event_id: 'a', timestamp: '2024-03-01T10:00:00.500Z', payload: '{"orgId":"o"}' },
        { ...event, raw_event_id: 'b', timestamp: '2024-03-03T10:00:00.500Z', payload: '{"orgId":"o","x":1}' },
      ],
    },
    {
      reason: 'missing_org_id',
      count: 1,
      events: [{ ...event, raw_event_id: "c'\\", timestamp: '2024-03-03T10:00:00.500Z', payload: '{}' }],
    },
  ]);
  expect(await sh(`curl -s ${server.url}/api/v1/events/raw/reprocess/${String(answer.run_id)}/drops`)).toEqual({
    workflow_id: workflow,
    run_id: answer.run_id,
    drops,
  });
  const none = await fetch(`${server.url}/events/raw/reprocess/wf_ReprocessRawEventsWorkflow_${'0'.repeat(26)}/drops`);
  expect(none.status).toBe(404);
});
