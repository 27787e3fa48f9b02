/** examples/lineage on a real Redis with a real worker: a month of days, the month made of them, and when it is stale. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { runAsset } from '@skein/orchestrator/testing';
import { createClient, createResourcePool, openEngine, startServer, startWorker } from '@skein/orchestrator/runtime';

import { monthEnds, monthMeans } from '../examples/lineage/assets.ts';
import { deployment } from '../examples/lineage/skein.config.ts';
import { testRedis } from '../infra/embedded/test-services/index.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const FEBRUARY = Array.from({ length: 28 }, (_, i) => `2026-02-${String(i + 1).padStart(2, '0')}`);

test('a month that lacks days fails and names the first; nothing is written', async () => {
  const store = { read: async (_asset: string, key: string) => (key < '2026-02-15' ? 10 : undefined), write: refuse };
  const run = await runAsset(monthMeans, { partition: '2026-02', resources: { store } });
  expect(String(run.error)).toContain('14 days are missing, the first is 2026-02-15.');
});

test('the schedule asks for the month that has ended, also over the turn of the year', () => {
  expect(monthEnds.requests(new Date('2026-03-01T05:00:00Z'))).toEqual([{ partitions: ['2026-02'] }]);
  expect(monthEnds.requests(new Date('2027-01-01T05:00:00Z'))).toEqual([{ partitions: ['2026-12'] }]);
});

test('days, the month made of them, a day made anew: the month is stale and says why, until it is made again', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'skein-lineage-'));
  const { url, prefix } = testRedis();
  const env = { SKEIN_REDIS_URL: url, SKEIN_REDIS_PREFIX: `{${prefix}}`, SKEIN_PORT: '0', LINEAGE_DATA: folder };
  const engine = await openEngine(deployment, { env });
  const resources = createResourcePool(deployment, env, SILENT);
  const worker = await startWorker(engine, { log: SILENT, resources });
  const server = await startServer(engine, { log: SILENT, resources, pulse: false });
  const client = createClient(engine);
  const make = async (job: string, partitions: readonly string[], config = {}) => {
    const { runId } = await client.submit({ job, partitions, config, cause: 'test' });
    return (await client.wait(runId)).status;
  };
  const month = async () => {
    const answer = await fetch(`${server.url}/api/v1/assets/month_means/partition?partition=2026-02`);
    return (await answer.json()) as { outcome: string; stale: boolean; stale_reasons: { key: string }[] };
  };
  const mean = () => Number(readFileSync(path.join(folder, 'month_means', '2026-02.json'), 'utf8'));
  try {
    expect(await make('month_means_job', ['2026-02'])).toBe('FAILURE');
    expect(await make('readings_job', FEBRUARY)).toBe('SUCCESS');
    expect(await make('month_means_job', ['2026-02'])).toBe('SUCCESS');
    expect([mean(), await month()]).toMatchObject([10, { outcome: 'materialized', stale: false, stale_reasons: [] }]);

    expect(await make('readings_job', ['2026-02-14'], { celsius: 24 })).toBe('SUCCESS');
    expect(await month()).toMatchObject({ stale: true, stale_reasons: [{ key: '2026-02-14' }] });

    expect(await make('month_means_job', ['2026-02'])).toBe('SUCCESS');
    expect([mean(), (await month()).stale]).toEqual([10.5, false]);
  } finally {
    await server.close();
    await worker.stop(1_000);
    const keys = await engine.redis.keys(`${engine.keys.prefix}:*`);
    await engine.redis.del(...keys);
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

function refuse(): never {
  throw new TypeError('nothing may be written');
}
