/** Assets, their partitions definition and counts as they travel. */

import { z } from 'zod';

import type { Asset } from '../../definitions/asset.ts';
import type { Engine } from '../../engine/engine.ts';
import { readFreshness } from '../../engine/reads/freshness.ts';
import { type PartitionCounts, readCounts } from '../../engine/reads/partitions.ts';
import { jsonSchemaOf } from '../config-schema.ts';
import { Facts, Time, named } from '../schema.ts';

export const Counts = named(
  'PartitionCounts',
  z.object({
    materialized: z.number(),
    failed: z.number(),
    skipped: z.number(),
    queued: z.number(),
    running: z.number(),
    cancelling: z.number(),
  }),
);

const PartitionsInfo = named(
  'PartitionsInfo',
  z.object({
    kind: z.enum(['single', 'static', 'dynamic', 'time_window', 'composite']),
    grammar: z.string(),
    row_name: z.string().nullable().describe('Of the first dimension, such as team_id.'),
    rows: z.number().describe('Rows that have a state.'),
    column_kind: z.enum(['single', 'time']),
    first_column: z.string().describe('Label of column 0.'),
    last_complete_column: z.number().describe('The last column whose window has ended; −1 when none.'),
    last_complete_label: z.string().nullable(),
    static_keys: z.array(z.string()).nullable(),
  }),
);

export const AssetItem = named(
  'Asset',
  z.object({
    key: z.string(),
    description: z.string(),
    group: z.string(),
    partitions: PartitionsInfo,
    depends_on: z.array(z.object({ asset: z.string(), mapping: z.enum(['identity', 'all', 'time_window']) })),
    jobs: z.array(z.string()),
    sensors: z.array(z.string()),
    schedules: z.array(z.string()),
    pool: z.string().nullable(),
    resources: z.array(z.string()),
    time_zone: z
      .string()
      .describe(
        'Whose days its data are due by: of its freshness policy, else of its schedule; an IANA name, else UTC.',
      ),
    fans_out: z.boolean(),
    counts: Counts,
    total: z.number().describe('Partitions that could exist by now: rows × complete columns.'),
    missing: z.number(),
  }),
);

export const Freshness = named(
  'Freshness',
  z.object({
    state: z.enum(['fresh', 'late', 'unknown']),
    within_ms: z.number(),
    cron: z.string().nullable(),
    time_zone: z.string().describe('Of the cron expression; IANA name.'),
    due_at: Time.describe('The moment whose data must be there now.'),
    label: z.string().nullable().describe('Of the window that is due, such as the day.'),
    rows: z.number().describe('Ids that were looked at.'),
    late_rows: z.number(),
    late: z.array(z.string()).describe('The first of the ids that are late.'),
  }),
);

export const AssetDetail = named(
  'AssetDetail',
  AssetItem.extend({
    config_schema: Facts.describe('JSON schema, draft 7, of the config.'),
    default_config: Facts.nullable().describe('What the schema makes of an empty config; null when it refuses one.'),
    can_rehearse: z.boolean().describe('The config has a dry_run.'),
    code_version: z.string().nullable(),
    freshness: Freshness.nullable().describe('Null where the asset has no policy.'),
    isolation: z.string(),
    timeout_ms: z.number().nullable(),
    max_attempts: z.number(),
    checks: z.array(z.object({ name: z.string(), description: z.string(), severity: z.enum(['warn', 'error']) })),
  }),
);

const rowNameOf = (asset: Asset): string | null => {
  const { partitions } = asset as { partitions: { idName?: string; name?: string } };
  return partitions.idName ?? partitions.name ?? null;
};

export async function toAsset(engine: Engine, asset: Asset, now: Date): Promise<z.input<typeof AssetItem>> {
  const [counts, rows] = await Promise.all([
    readCounts(engine, asset),
    engine.redis.zcard(engine.keys.rows(asset.key)),
  ]);
  const { deployment } = engine;
  const jobs = [...deployment.jobs.values()].filter((job) => job.assets.includes(asset)).map((job) => job.name);
  const schedules = [...deployment.schedules.values()].filter((one) => jobs.includes(one.job.name));
  const total = totalOf(asset, rows, now);
  return {
    key: asset.key,
    description: asset.description,
    group: asset.group,
    partitions: partitionsOf(asset, rows, now),
    depends_on: asset.dependsOn.map((one) => ({ ...one })),
    jobs,
    sensors: [...deployment.sensors.values()].filter((s) => jobs.includes(s.job.name)).map((s) => s.name),
    schedules: schedules.map(({ name }) => name),
    pool: asset.pool ?? null,
    resources: Object.values(asset.resources).map((token) => token.name),
    time_zone: (asset.freshness?.cron === undefined ? schedules[0]?.timeZone : asset.freshness.timeZone) ?? 'UTC',
    fans_out: asset.tasks !== undefined,
    counts: { ...counts },
    total,
    missing: missingOf(total, counts),
  };
}

export async function toAssetDetail(engine: Engine, asset: Asset, now: Date): Promise<z.input<typeof AssetDetail>> {
  const empty = asset.config.safeParse({});
  const schema = jsonSchemaOf(asset.config);
  return {
    ...(await toAsset(engine, asset, now)),
    config_schema: schema,
    default_config: empty.success ? (empty.data as Record<string, unknown>) : null,
    can_rehearse: typeof schema.properties === 'object' && schema.properties !== null && 'dry_run' in schema.properties,
    code_version: asset.codeVersion ?? null,
    freshness: await freshnessOf(engine, asset, now),
    isolation: asset.isolation,
    timeout_ms: asset.timeoutMs ?? null,
    max_attempts: asset.retries.attempts,
    checks: asset.checks.map(({ name, description, severity }) => ({ name, description, severity })),
  };
}

/** Null for an asset without a policy. */
export async function freshnessOf(engine: Engine, asset: Asset, now: Date): Promise<z.input<typeof Freshness> | null> {
  const found = await readFreshness(engine, asset, now);
  if (found === undefined || asset.freshness === undefined) return null;
  return {
    state: found.state,
    within_ms: asset.freshness.withinMs,
    cron: asset.freshness.cron ?? null,
    time_zone: asset.freshness.timeZone,
    due_at: found.dueAt.toISOString(),
    label: found.label ?? null,
    rows: found.rows,
    late_rows: found.lateRows,
    late: [...found.late],
  };
}

function partitionsOf(asset: Asset, rows: number, now: Date): z.input<typeof PartitionsInfo> {
  const { partitions } = asset;
  const last = partitions.columns.lastComplete(now);
  return {
    kind: partitions.kind,
    grammar: partitions.grammar,
    row_name: rowNameOf(asset),
    rows,
    column_kind: partitions.columns.kind,
    first_column: partitions.columns.label(0),
    last_complete_column: last,
    last_complete_label: last < 0 || partitions.columns.kind === 'single' ? null : partitions.columns.label(last),
    static_keys: 'keys' in partitions ? [...(partitions.keys as readonly string[])] : null,
  };
}

function totalOf(asset: Asset, rows: number, now: Date): number {
  const { partitions } = asset;
  const columns = Math.max(0, partitions.columns.lastComplete(now) + 1);
  switch (partitions.kind) {
    case 'single':
    case 'static':
      return (partitions as { keys?: readonly string[] }).keys?.length ?? 1;
    case 'time_window':
      return columns;
    case 'dynamic':
    case 'composite':
      return rows * columns;
  }
}

function missingOf(total: number, counts: PartitionCounts): number {
  return Math.max(0, total - counts.materialized - counts.failed - counts.skipped);
}
