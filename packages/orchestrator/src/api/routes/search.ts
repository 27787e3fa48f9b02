/** Search for the command palette: definitions by name, runs by the beginning of their id, partitions by key. */

import { decodeTime } from 'ulid';
import { z } from 'zod';

import type { Engine } from '../../engine/engine.ts';
import { readStatuses } from '../../engine/partition-reader.ts';
import { readSummaries } from '../../engine/reads/runs.ts';
import type { Principal } from '../access/principal.ts';
import { engineFor, seesJob } from '../access/scope.ts';
import type { Routes } from '../context.ts';
import { API_PREFIX } from '../openapi.ts';
import { named } from '../schema.ts';

const Hit = named(
  'SearchHit',
  z.object({
    kind: z.enum(['asset', 'job', 'sensor', 'schedule', 'pool', 'run', 'partition']),
    id: z.string(),
    title: z.string(),
    detail: z.string(),
    asset: z.string().optional().describe('Of a partition.'),
  }),
);
type SearchHit = z.input<typeof Hit>;

const LIMIT = 50;

export const searchRoutes: Routes = (app, { engine }) => {
  app.get(
    `${API_PREFIX}/search`,
    {
      schema: {
        operationId: 'search',
        summary: 'Assets, jobs, sensors, schedules, runs and partitions that a text may mean',
        tags: ['overview'],
        querystring: z.strictObject({ q: z.string().trim().min(1).max(600) }),
        response: { 200: z.object({ items: z.array(Hit) }) },
      },
    },
    async ({ query, principal }) => {
      const seen = engineFor(engine, principal);
      const [runs, partitions] = await Promise.all([findRuns(seen, query.q, principal), findPartitions(seen, query.q)]);
      return { items: [...runs, ...partitions, ...findDefinitions(seen, query.q)].slice(0, LIMIT) };
    },
  );
};

function findDefinitions(engine: Engine, q: string): SearchHit[] {
  const { assets, jobs, sensors, schedules } = engine.deployment;
  const needle = q.toLowerCase();
  const all: SearchHit[] = [
    ...[...assets.values()].map((a) => ({ kind: 'asset' as const, id: a.key, title: a.key, detail: a.description })),
    ...[...sensors.values()].map((s) => ({
      kind: 'sensor' as const,
      id: s.name,
      title: s.name,
      detail: s.description,
    })),
    ...[...schedules.values()].map((s) => ({
      kind: 'schedule' as const,
      id: s.name,
      title: s.name,
      detail: s.description,
    })),
    ...[...jobs.values()].map((j) => ({ kind: 'job' as const, id: j.name, title: j.name, detail: j.description })),
  ];
  const rank = (hit: SearchHit) => (hit.title.startsWith(needle) ? 0 : hit.title.includes(needle) ? 1 : 2);
  return all
    .filter((hit) => hit.title.includes(needle) || hit.detail.toLowerCase().includes(needle))
    .sort((a, b) => rank(a) - rank(b));
}

const ULID_LENGTH = 26;
/** Fewer characters of an id name too long a time: 6 of 32 to the 4th ms, 17 minutes. */
const MIN_ID_PREFIX = 6;
/** Ids are made a moment before Redis notes the time. */
const CLOCK_MARGIN_MS = 10_000;
const MAX_CANDIDATES = 5_000;

/** An id's first ten characters are its time: the index by time narrows it down. */
async function findRuns(engine: Engine, q: string, principal: Principal | undefined): Promise<SearchHit[]> {
  const prefix = q.toUpperCase();
  if (prefix.length < MIN_ID_PREFIX || prefix.length > ULID_LENGTH || !/^[0-7][0-9A-HJKMNP-TV-Z]+$/.test(prefix))
    return [];
  const from = decodeTime(prefix.padEnd(ULID_LENGTH, '0'));
  const to = decodeTime(prefix.padEnd(ULID_LENGTH, 'Z'));
  const ids = await engine.redis.zrangebyscore(
    engine.keys.runs,
    from - CLOCK_MARGIN_MS,
    to + CLOCK_MARGIN_MS,
    'LIMIT',
    0,
    MAX_CANDIDATES,
  );
  const found = await readSummaries(engine, ids.filter((id) => id.startsWith(prefix)).slice(0, 10));
  const seen = found.filter((run) => seesJob(principal, run.job));
  return seen.map((run) => ({ kind: 'run', id: run.id, title: run.id, detail: `${run.job} · ${run.status}` }));
}

async function findPartitions(engine: Engine, q: string): Promise<SearchHit[]> {
  const hits: SearchHit[] = [];
  for (const asset of engine.deployment.assets.values()) {
    try {
      asset.partitions.parse(q);
    } catch {
      continue; // no key of this asset
    }
    const state = (await readStatuses(engine, asset, [q])).get(q);
    const detail = state === undefined ? '' : state.activity === 'idle' ? state.outcome : state.activity;
    hits.push({ kind: 'partition', id: q, title: q, detail: `${asset.key} · ${detail}`, asset: asset.key });
  }
  return hits;
}
