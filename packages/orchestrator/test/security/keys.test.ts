/**
 * Partition keys of every kind of people, machines and attackers: each is refused with the one rule that it breaks, or
 * goes unchanged through every way that a key travels — launch, answers, search, marks, the ledger, the queue, code,
 * history in Parquet, backup — and is never taken for another.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';

import fc from 'fast-check';
import { z } from 'zod';

import { buildApp } from '../../src/api/app.ts';
import { archiveRuns } from '../../src/history/archive.ts';
import { createBackup } from '../../src/history/backup/backup.ts';
import { querySql } from '../../src/history/query.ts';
import {
  composite,
  daily,
  defineAsset,
  defineDeployment,
  defineJob,
  dynamic,
  materialized,
  text,
} from '../../src/index.ts';
import { SILENT } from '../engine/harness.ts';
import { type ApiHarness, closeApis, openApi } from '../api/harness.ts';

const DAY = '2024-01-15';
const tenantDays = composite({ id: dynamic('tenant', text), day: daily({ start: '2015-01-01' }) });

const HOSTILE = [
  ',',
  '|',
  ' ',
  'a b',
  '/',
  '..',
  '../..',
  '%2f',
  '%2e%2e%2f',
  '%00',
  ':',
  '::',
  '{}',
  '{skein}',
  '*',
  '?',
  '[a]',
  "'",
  '"',
  '`',
  '\\',
  "'; DROP TABLE runs; --",
  '$1',
  '{key:String}',
  '${x}',
  '<script>alert(1)</script>',
  'javascript:1',
  '1',
  '0',
  '007',
  '-1',
  '1e3',
  '0x10',
  'NaN',
  'null',
  'undefined',
  'true',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '.',
  '...',
  '_',
  '__',
  'a_b',
  `x_${DAY}`,
  '1..3',
  'a..b',
  '@',
  '#',
  '&',
  '=',
  '+',
  'a=b&c=d',
  '😀',
  'é',
  'ﬀ',
  'ＡＢＣ',
  'Ω',
  'ß',
  'İ',
  'ı',
  'x'.repeat(501),
  'é'.repeat(250),
  '漢字',
  'مرحبا',
  'שלום',
  '~',
  '$HOME',
  '`id`',
  '$(id)',
  '|cat',
  'CON',
  'nul',
  'a\u00a0b',
  'a\u3000b',
  '\u00ad',
  '\u1e9b\u0323',
];
const REFUSED = [
  '',
  'a\u0000b',
  'a\nb',
  'a\r\nb',
  'a\tb',
  '\u001b[2J',
  '\u007f',
  '\u200b',
  'a\u200db',
  '\u200e',
  '\u202e',
  '\u2066',
  '\ufeffa',
  '\u2028',
  '\ud800',
  'a\udc00',
  'e\u0301',
  'a\u0301x',
  'A\u030a',
  '\u212b',
  'x'.repeat(502),
  'é'.repeat(251),
  'x'.repeat(1_000_000),
  '😀'.repeat(126),
];

/** By `npm run fuzz`: every key, and ten thousand by chance. */
const WHOLE = process.env.SKEIN_FUZZ_RUNS !== undefined;

let dir: string;
beforeEach(() => (dir = mkdtempSync(path.join(tmpdir(), 'skein-keys-'))));
afterEach(async () => {
  await closeApis();
  rmSync(dir, { recursive: true, force: true });
});

/** Keys as code saw them. */
async function open(seen: Set<string>): Promise<ApiHarness> {
  const asset = defineAsset({
    key: 'things',
    description: 'Of tenants with any name.',
    partitions: tenantDays,
    config: z.object({}),
    async materialize({ partitionKey, partition }) {
      seen.add(partitionKey);
      return materialized({ id: partition.id });
    },
  });
  const deployment = defineDeployment({ definitions: { jobs: [defineJob({ name: 'things_job', assets: [asset] })] } });
  const env = { SKEIN_HISTORY_URL: pathToFileURL(dir).href, SKEIN_REQUESTS_PER_MINUTE: '100000000' };
  return openApi(undefined, { deployment, env });
}

test('hostile keys go through unchanged, or are refused by their rule', async () => {
  const seen = new Set<string>();
  const api = await open(seen);
  await api.worker({ concurrency: 20 });
  const ids = [...new Set(HOSTILE)].filter((_, i) => WHOLE || i % 4 === 0 || i < 12);
  const keys = ids.map((id) => `${id}_${DAY}`);
  const runs = new Map<string, string>();
  for (const key of keys) {
    const { status, body, text: answer } = await api.post('/api/v1/launch', { job: 'things_job', partitions: [key] });
    expect([key, status, answer]).toEqual([key, 202, answer]);
    runs.set(key, String(body.run_id));
  }
  for (const [key, run] of runs) {
    const { body } = await api.until(
      async () => api.get(`/api/v1/runs/${run}`),
      (answer) => answer.body.ended_at !== null,
    );
    expect([key, body.status, body.partitions?.[0]?.key]).toEqual([key, 'SUCCESS', key]);
    expect(body.partitions?.[0]?.metadata).toEqual({ id: key.slice(0, -11) });
    const asked = encodeURIComponent(key);
    const one = await api.get(`/api/v1/assets/things/partition?partition=${asked}`);
    expect([key, one.status, one.body.key]).toEqual([key, 200, key]);
    expect((await api.get(`/api/v1/runs?partition=${asked}`)).body.items).toHaveLength(1);
    const typed = `partition:${JSON.stringify(key)}`;
    if (typed.length <= 500) {
      const listed = await api.get(`/api/v1/runs?q=${encodeURIComponent(typed)}`);
      expect([key, listed.status, listed.body.items]).toEqual([key, 200, [expect.objectContaining({ id: run })]]);
    }
    expect([key, (await api.get(`/api/v1/search?q=${asked}`)).status]).toEqual([key, 200]);
    const row = encodeURIComponent(key.slice(0, -11));
    const found = await api.get(`/api/v1/assets/things/partitions/search?row=${row}`);
    expect([key, (found.body.items as unknown as { key: string }[]).map((item) => item.key)]).toEqual([key, [key]]);
  }
  expect([...seen].sort()).toEqual([...keys].sort());
  const rows = await api.post('/api/v1/assets/things/partitions/tiles', {
    rows: keys.map((key) => key.slice(0, -11)),
    from: tenantDays.columns.column(DAY),
    to: tenantDays.columns.column(DAY),
    format: 'base64',
  });
  // Every one of them is materialized, and idle.
  expect([...Buffer.from(String(rows.body.cells), 'base64')]).toEqual(keys.map(() => 4));

  const states = await querySql(api.engine, 'SELECT key FROM partitions', { live: 10, maxRows: 10_000 });
  expect(states.rows.map(({ key }) => key).sort()).toEqual([...keys].sort());
  const backup = path.join(dir, 'backup.gz');
  await createBackup(api.engine, backup, { maxPauseMs: 30_000 });
  const lines = gunzipSync(readFileSync(backup)).toString();
  for (const key of keys) expect(lines.includes(JSON.stringify(JSON.stringify(key)).slice(1, -1))).toBe(true);
  expect((await archiveRuns(api.engine, { olderThanMs: 0, limit: 10_000 })).archived).toBe(keys.length);
  const archived = await querySql(api.engine, 'SELECT key FROM run_partitions', { live: 0, maxRows: 10_000 });
  expect(archived.rows.map(({ key }) => key).sort()).toEqual([...keys].sort());
  // By a server that has not counted yet what history holds.
  const later = await buildApp(await api.another(), { log: SILENT });
  try {
    for (const [key, run] of runs) {
      const url = `/api/v1/runs?partition=${encodeURIComponent(key)}`;
      const list = (await later.inject({ method: 'GET', url, headers: { host: 'localhost' } })).json<{
        items: object[];
      }>();
      expect([key, list.items]).toEqual([key, [expect.objectContaining({ id: run })]]);
    }
  } finally {
    await later.close();
  }
  // Names of queue entries are ids of attempts: no key is in them.
  const bells = await api.engine.redis.keys(`${api.engine.keys.prefix}:bull:*`);
  for (const id of ids.filter((one) => one.length > 3)) expect(bells.filter((name) => name.includes(id))).toEqual([]);
  expect(({} as Record<string, unknown>).things).toBeUndefined();
});

test('what no key may hold is refused by the same rule everywhere', async () => {
  const api = await open(new Set());
  for (const id of REFUSED) {
    const key = `${id}_${DAY}`;
    for (const [url, body] of [
      ['/api/v1/launch', { job: 'things_job', partitions: [key] }],
      ['/api/v1/launch/check', { job: 'things_job', partitions: [key] }],
      ['/api/v1/assets/things/partitions/mark', { as: 'skipped', partitions: [key], reason: 'x' }],
      ['/api/v1/backfills/plan', { job: 'things_job', ids: [id], from: DAY, to: DAY }],
    ] as const) {
      const { status, body: answer } = await api.post(url, body);
      if (url.endsWith('check') && status === 200) expect(answer.ok ?? answer.valid).toBe(false);
      else expect([url, id.slice(0, 20), status >= 400 && status < 500]).toEqual([url, id.slice(0, 20), true]);
    }
  }
  expect(await api.engine.redis.keys(`${api.engine.keys.prefix}:st:*`)).toEqual([]);
});

test('any two keys that are taken are two partitions, whatever they look like', async () => {
  const api = await open(new Set());
  const part = fc.oneof(
    fc.constantFrom(...HOSTILE.filter((id) => id.length < 60)),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  const id = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(''));
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(id, { minLength: 20, maxLength: 20 }), async (ids) => {
      const keys: string[] = [];
      for (const one of ids) {
        try {
          keys.push(tenantDays.format(tenantDays.parse(`${one}_${DAY}`)));
        } catch {
          // Refused by its rule: nothing of it may be in the ledger.
        }
      }
      if (keys.length === 0) return;
      taken += keys.length;
      const marked = await api.post('/api/v1/assets/things/partitions/mark', {
        as: 'skipped',
        partitions: keys,
        reason: 'x',
      });
      expect([marked.status, keys]).toEqual([200, keys]);
      for (const key of keys) {
        const row = encodeURIComponent(key.slice(0, -11));
        const found = await api.get(`/api/v1/assets/things/partitions/search?row=${row}`);
        expect((found.body.items as unknown as { key: string }[]).map((item) => item.key)).toEqual([key]);
      }
      await api.post('/api/v1/assets/things/partitions/forget', { partitions: keys, reason: 'x' });
    }),
    { numRuns: WHOLE ? 500 : 3 },
  );
  expect(taken).toBeGreaterThan(20);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
}, 86_400_000);
