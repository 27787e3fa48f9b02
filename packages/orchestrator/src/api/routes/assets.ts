/** Assets and jobs: what can be made, with its config as a JSON schema and its counts. */

import { z } from 'zod';

import { lookUp } from '../../definitions/deployment.ts';
import type { Job } from '../../definitions/job.ts';
import type { Routes } from '../context.ts';
import { engineFor } from '../access/scope.ts';
import { jsonSchemaOf } from '../config-schema.ts';
import { API_PREFIX } from '../openapi.ts';
import { Facts, TagMap, named, pageOf, pageAfter, wholeQuery } from '../schema.ts';
import { AssetDetail, AssetItem, Freshness, freshnessOf, toAsset, toAssetDetail } from './asset-schemas.ts';

export const AssetParams = z.object({ key: z.string().min(1).max(100) });

export const JobItem = named(
  'Job',
  z.object({
    name: z.string(),
    description: z.string(),
    assets: z.array(z.string()),
    tags: TagMap,
    priority: z.number(),
    max_active_runs: z.number().nullable(),
    on_busy: z.enum(['wait', 'join', 'refuse']),
    sensors: z.array(z.string()),
    schedules: z.array(z.string()),
    runs: z.object({ active: z.number(), total: z.number() }),
  }),
);

const JobDetail = named(
  'JobDetail',
  JobItem.extend({
    config_schema: Facts.describe('Of the one asset; of several: an object with an entry each.'),
    partition_grammar: z.string(),
    needs_partitions: z.boolean().describe('False when a config alone may name the scope.'),
  }),
);

export const assetRoutes: Routes = (app, { engine }) => {
  const { deployment } = engine;
  const toJob = async (job: Job): Promise<z.input<typeof JobItem>> => ({
    name: job.name,
    description: job.description,
    assets: job.assets.map((asset) => asset.key),
    tags: { ...job.tags },
    priority: job.priority,
    max_active_runs: job.maxActiveRuns ?? null,
    on_busy: job.onBusy,
    sensors: [...deployment.sensors.values()].filter((s) => s.job === job).map((s) => s.name),
    schedules: [...deployment.schedules.values()].filter((s) => s.job === job).map((s) => s.name),
    runs: {
      active: await engine.redis.scard(engine.keys.openRuns(job.name)),
      total: await engine.redis.zcard(engine.keys.runsOfJob(job.name)),
    },
  });

  app.get(
    `${API_PREFIX}/assets`,
    {
      schema: {
        operationId: 'listAssets',
        summary: 'All assets with their counts',
        tags: ['assets'],
        querystring: z.strictObject(wholeQuery),
        response: { 200: pageOf(AssetItem) },
      },
    },
    async ({ principal, query }) => {
      const now = new Date();
      const seen = engineFor(engine, principal);
      const { items, next } = pageAfter([...seen.deployment.assets.values()], ({ key }) => key, query);
      return { items: await Promise.all(items.map((a) => toAsset(seen, a, now))), next };
    },
  );

  app.get(
    `${API_PREFIX}/assets/:key`,
    {
      schema: {
        operationId: 'getAsset',
        summary: 'An asset with the JSON schema of its config',
        tags: ['assets'],
        params: AssetParams,
        response: { 200: AssetDetail },
      },
    },
    async ({ params, principal }) =>
      toAssetDetail(engineFor(engine, principal), lookUp('asset', deployment.assets, params.key), new Date()),
  );

  app.get(
    `${API_PREFIX}/freshness`,
    {
      schema: {
        operationId: 'listFreshness',
        summary: 'Assets that have a freshness policy, and whether what is due is there',
        tags: ['assets'],
        querystring: z.strictObject(wholeQuery),
        response: { 200: pageOf(z.object({ asset: z.string(), freshness: Freshness })) },
      },
    },
    async ({ principal, query }) => {
      const now = new Date();
      const seen = engineFor(engine, principal);
      const { items, next } = pageAfter([...seen.deployment.assets.values()], ({ key }) => key, query);
      const found = await Promise.all(
        items.map(async (one) => {
          const freshness = await freshnessOf(seen, one, now);
          return freshness === null ? [] : [{ asset: one.key, freshness }];
        }),
      );
      return { items: found.flat(), next };
    },
  );

  app.get(
    `${API_PREFIX}/jobs`,
    {
      schema: {
        operationId: 'listJobs',
        summary: 'All jobs',
        tags: ['jobs'],
        querystring: z.strictObject(wholeQuery),
        response: { 200: pageOf(JobItem) },
      },
    },
    async ({ principal, query }) => {
      const all = [...engineFor(engine, principal).deployment.jobs.values()];
      const { items, next } = pageAfter(all, ({ name }) => name, query);
      return { items: await Promise.all(items.map(toJob)), next };
    },
  );

  app.get(
    `${API_PREFIX}/jobs/:name`,
    {
      schema: {
        operationId: 'getJob',
        summary: 'A job with the JSON schema of its config',
        tags: ['jobs'],
        params: z.object({ name: z.string().min(1).max(100) }),
        response: { 200: JobDetail },
      },
    },
    async ({ params }) => {
      const job = lookUp('job', deployment.jobs, params.name);
      const [first] = job.assets;
      return {
        ...(await toJob(job)),
        config_schema: configSchemaOf(job),
        partition_grammar: first?.partitions.grammar ?? '',
        needs_partitions: first?.partitionsOf === undefined && first?.partitions.kind !== 'single',
      };
    },
  );
};

function configSchemaOf(job: Job): Record<string, unknown> {
  const [first, ...others] = job.assets;
  if (first === undefined || others.length === 0) return first === undefined ? {} : jsonSchemaOf(first.config);
  return {
    type: 'object',
    properties: Object.fromEntries(job.assets.map((asset) => [asset.key, jsonSchemaOf(asset.config)])),
    additionalProperties: false,
  };
}
