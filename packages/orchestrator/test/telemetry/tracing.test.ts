/** One trace is tick or request → run → queue, attempts, phases, at a real receiver; and no secret gets there. */

import { randomBytes } from 'node:crypto';
import path from 'node:path';

import { buildApp } from '../../src/api/app.ts';
import { cancelRun } from '../../src/engine/cancel.ts';
import { createClient } from '../../src/engine/client.ts';
import { type Engine, openEngine } from '../../src/engine/engine.ts';
import { openTick } from '../../src/engine/tick.ts';
import { endpointOf } from '../../src/telemetry/open-tracing.ts';
import { formatTraceParent, parseTraceParent, placeOfRun } from '../../src/telemetry/tracing.ts';
import { type SkeinWorker, startWorker } from '../../src/worker/worker.ts';
import { SILENT, until } from '../engine/harness.ts';
import { type OtlpReceiver, type SeenSpan, openOtlpReceiver } from './otlp-receiver.ts';
import { CANARY, deployment } from './traced-deployment.ts';

describe('with a receiver', () => {
  let receiver: OtlpReceiver;
  let engine: Engine;
  let worker: SkeinWorker;
  let abandoned: string;
  const execArgv = process.execArgv;

  beforeAll(async () => {
    receiver = await openOtlpReceiver();
    // The SDK's own settings are the process's.
    process.env.OTEL_BSP_SCHEDULE_DELAY = '50';
    process.execArgv = ['-C', 'source', '--import', 'tsx'];
    const env = {
      ...process.env,
      SKEIN_REDIS_PREFIX: `{o${randomBytes(6).toString('hex')}}`,
      SKEIN_PULSE_MS: '100',
      SOURCE_PASSWORD: CANARY,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    };
    const deploymentFile = path.join(__dirname, 'traced-deployment.ts');
    engine = await openEngine(deployment, { env, deploymentFile });
    const client = createClient(engine);
    abandoned = (await client.submit({ job: 'inline_job', partitions: ['b'], cause: 'test' })).runId;
    await engine.begin('a ghost', `${abandoned}.0.m.1`);
    await engine.redis.zadd(engine.keys.leases, 1, `${abandoned}.0.m.1`); // its lease has run out
    worker = await startWorker(engine, { log: SILENT });
  });

  afterAll(async () => {
    await worker.stop(500);
    const keys = await engine.redis.keys(`${engine.keys.prefix}:*`);
    if (keys.length > 0) await engine.redis.del(...keys);
    await engine.close();
    await receiver.close();
    process.execArgv = execArgv;
    delete process.env.OTEL_BSP_SCHEDULE_DELAY;
  });

  const arrived = async (run: string, ...names: string[]): Promise<Record<string, SeenSpan>> => {
    const place = placeOfRun(run, (await engine.redis.hget(engine.keys.run(run), 'trace')) ?? '');
    const found = () =>
      Object.fromEntries(receiver.spans.filter((s) => s.traceId === place.traceId).map((s) => [s.name, s]));
    return until(
      async () => found(),
      (spans) => names.every((name) => spans[name]),
      60_000,
    );
  };

  test('a tick, its run, the queue, the attempt, the phase and what a library traces in it are one trace', async () => {
    const tick = await openTick(engine, 'asker', 'test');
    const [, run = ''] = await until(
      () => engine.redis.zrange(engine.keys.runsOfJob('inline_job'), '0', '-1'),
      (ids) => ids.length === 2,
    );
    const spans = await arrived(
      run,
      'tick asker',
      'run inline_job',
      'queue',
      'attempt inline_asset',
      'phase load',
      'query',
    );
    const parents = Object.values(spans).map(({ name, parent }) => [
      name,
      Object.values(spans).find(({ spanId }) => spanId === parent)?.name,
    ]);
    expect(Object.fromEntries(parents)).toEqual({
      'tick asker': undefined,
      'run inline_job': 'tick asker',
      queue: 'run inline_job',
      'attempt inline_asset': 'run inline_job',
      'phase load': 'attempt inline_asset',
      query: 'phase load',
    });
    expect(spans['tick asker']?.fields).toMatchObject({ 'skein.tick': tick, 'skein.decision': 'requested' });
    expect(spans['run inline_job']).toMatchObject({
      failed: false,
      service: 'skein',
      fields: { 'skein.run': run, 'skein.status': 'SUCCESS', 'skein.partition': 'a' },
    });
    expect(spans['attempt inline_asset']?.fields).toMatchObject({ 'skein.verdict': 'ok', 'skein.attempt': 1 });
    const record = await createClient(engine).wait(run);
    expect(spans['run inline_job']?.endMs).toBe(record.endedAt?.getTime());
  });

  test('a run’s trace is its id, in whichever process it is attempted', async () => {
    const client = createClient(engine);
    const ask = () => client.submit({ job: 'apart_job', partitions: ['b'], cause: 'test' });
    const [{ runId }, waiting] = [await ask(), await ask()];
    await cancelRun(engine, waiting.runId, 'test');
    await client.wait(runId);
    const spans = await arrived(runId, 'run apart_job', 'attempt apart_asset', 'phase load', 'query');
    const run = spans['run apart_job'];
    expect(run).toMatchObject({ parent: undefined, spanId: placeOfRun(runId, '').spanId });
    expect(spans['attempt apart_asset']?.parent).toBe(run?.spanId);
    expect(spans.query?.parent).toBe(spans['phase load']?.spanId);
    // No worker ever took it.
    const { 'run apart_job': cancelled } = await arrived(waiting.runId, 'run apart_job');
    expect(cancelled).toMatchObject({ failed: true, fields: { 'skein.status': 'CANCELED' } });
    expect(receiver.spans.filter(({ spanId }) => spanId === cancelled?.spanId)).toHaveLength(1);
  });

  test('a request goes on with its caller’s trace; a failure says so without the secret in it', async () => {
    const app = await buildApp(engine, { log: SILENT, uiRoot: '/nonexistent' });
    try {
      const caller = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex') };
      const reply = await app.inject({
        method: 'POST',
        url: '/api/v1/launch',
        headers: { host: 'localhost', traceparent: formatTraceParent(caller, true) },
        payload: { job: 'inline_job', partitions: ['bad'] },
      });
      expect(reply.statusCode).toBe(202);
      const { run_id: run } = reply.json<{ run_id: string }>();
      const spans = await arrived(run, 'POST /api/v1/launch', 'run inline_job', 'attempt inline_asset');
      expect(spans['POST /api/v1/launch']).toMatchObject({
        ...caller,
        spanId: expect.any(String),
        parent: caller.spanId,
      });
      expect(spans['run inline_job']).toMatchObject({
        parent: spans['POST /api/v1/launch']?.spanId,
        failed: true,
        message: 'The password *** is refused.',
      });
      expect(spans['attempt inline_asset']).toMatchObject({ failed: true, message: 'The password *** is refused.' });
      expect(receiver.text()).toContain('"*** x"');
      expect(receiver.text()).not.toContain(CANARY.slice(0, 12));
    } finally {
      await app.close();
    }
  });

  test('a lost attempt is told for the worker that cannot', async () => {
    const spans = await arrived(abandoned, 'run inline_job', 'attempt lost', 'attempt inline_asset');
    const parent = spans['run inline_job']?.spanId;
    expect(spans['attempt lost']).toMatchObject({ parent, failed: true, message: 'The worker a ghost was lost.' });
    expect(spans['attempt inline_asset']).toMatchObject({ parent, fields: { 'skein.attempt': 2 } });
  });
});

test('nothing is loaded where no endpoint is named', async () => {
  const engine = await openEngine(deployment, { env: { ...process.env, SKEIN_REDIS_PREFIX: '{off}' } });
  expect(engine.tracing).toBeUndefined();
  await engine.redis.del(...(await engine.redis.keys('{off}:*')));
  await engine.close();
});

test('the endpoint, by the names that OpenTelemetry gives the variables', () => {
  const all = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318/' };
  expect(endpointOf({})).toBeUndefined();
  expect(endpointOf({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toBeUndefined();
  expect(endpointOf(all)).toBe('http://c:4318/v1/traces');
  expect(endpointOf({ ...all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://t/x' })).toBe('http://t/x');
  expect(endpointOf({ ...all, OTEL_SDK_DISABLED: 'true' })).toBeUndefined();
  expect(endpointOf({ ...all, OTEL_TRACES_EXPORTER: 'none' })).toBeUndefined();
});

test('a trace parent that is none counts as none', () => {
  const good = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  expect(parseTraceParent(good)).toMatchObject({ isSampled: true });
  const bad = [
    '',
    '00',
    good.toUpperCase(),
    good.replace('00-', 'ff-'),
    good.replaceAll('a', '0'),
    `${good}-x`,
    `${good}\n`,
  ];
  for (const text of bad) expect(parseTraceParent(text)).toBeUndefined();
});
