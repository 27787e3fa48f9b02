/**
 * `reprocess_raw_events`: raw billing events of a tenant, read from ClickHouse, transformed, and sent to Kafka again.
 * One task a day; what happens inside a day is `reprocess-day.ts`.
 */

import { defineAsset, defineJob, exponential, materialized, rehearsed } from '@skein/orchestrator';

import { clickhouse } from '../resources/clickhouse.ts';
import { kafka } from '../resources/kafka.ts';
import {
  RawEventsConfig,
  bindTenant,
  daysOfRange,
  partOfDay,
  rangeOfDay,
  rehearsalReason,
  tenantDays,
} from './config.ts';
import { NOTHING, type Tally, addTallies, asMetadata } from './counters.ts';
import { RawEventsReprocessingDisabledError } from './errors.ts';
import { ask } from './read-pages.ts';
import { DayRun, type RawEventsContext } from './reprocess-day.ts';
import { rawEventsMapper } from './row-mapper.ts';
import { rawEventsSettings } from './settings.ts';
import { type Scope, leftOutSql } from './sql.ts';

/** What `plan` settles for a day once, so that every attempt reads the same. */
interface DayTask {
  readonly day: string;
  readonly from_ms: number;
  readonly to_ms: number;
}

/**
 * Each query waits for its first rows as long as ten pages take, and reads the granule of its cursor, up to 16,384 rows,
 * again; few of them, and still a day is not one query that hours of a slow Kafka would hold open.
 */
export const ROWS_PER_QUERY = 200_000;
const DAY_MS = 86_400_000;

/** The asset; with other tuning in tests. */
export function defineReprocessRawEvents({ rowsPerQuery = ROWS_PER_QUERY } = {}) {
  return defineAsset({
    key: 'reprocess_raw_events',
    description: 'Raw billing events of a tenant’s day, transformed and sent to Kafka again.',
    group: 'raw-events',
    partitions: tenantDays,
    config: RawEventsConfig,
    resources: { clickhouse, kafka, mapper: rawEventsMapper, settings: rawEventsSettings },
    pool: 'raw-events',
    // The original's: three attempts, 10 s doubling up to 10 min, 55 min each. Ours go on where the last one ended.
    retries: { attempts: 3, backoff: exponential('10s', { max: '10m' }) },
    timeout: '55m',
    partitionsOf: daysOfRange,
    bindConfig: bindTenant,
    isRehearsal: (config) => rehearsalReason(config) !== undefined,
    tasks: {
      async plan({ partitions, config, resources, now }) {
        if (!resources.settings.enabled) throw new RawEventsReprocessingDisabledError();
        return partitions.flatMap(({ key, value: { day } }) => {
          const range = rangeOfDay(config, day, now());
          // A partition that the range does not touch has nothing to do; `settle` leaves its state alone.
          if (range === undefined) return [];
          const input: DayTask = { day, from_ms: range.fromMs, to_ms: range.toMs };
          return [{ id: `day-${day}`, partitions: [key], input: { ...input } }];
        });
      },
      async run(context) {
        const { day, from_ms: fromMs, to_ms: toMs } = context.task.input as unknown as DayTask;
        const [key = ''] = context.task.partitions;
        const scope = scopeOf(context, { fromMs, toMs });
        const tally = await context.phase('reprocess', () => new DayRun(context, scope, rowsPerQuery).run());
        const metadata = asMetadata(tally);
        const reason = await whyRehearsal(context, scope, day);
        await context.settlePartition(key, reason ? rehearsed(reason, metadata) : materialized(metadata));
        return { tally: JSON.parse(JSON.stringify(tally)) as Record<string, never> };
      },
      async settle(context) {
        const { results, config, log, now, partitions } = context;
        const tallies = results.flatMap(({ result }) =>
          result === undefined ? [] : [(result as unknown as { tally: Tally }).tally],
        );
        const sum = tallies.reduce(addTallies, NOTHING);
        const touched = new Set(results.map(({ task }) => task));
        for (const { key, value } of partitions) {
          if (!touched.has(`day-${value.day}`))
            await context.settlePartition(key, rehearsed('the range does not touch this day'));
        }
        const metadata = {
          ...asMetadata(sum),
          completed_at: now()
            .toISOString()
            .replace(/\.\d+Z$/, 'Z'),
          days: results.length,
          days_failed: results.filter(({ error }) => error !== undefined).length,
          ...(config.dry_run ? { dry_run: true } : {}),
        };
        log.info('raw events reprocessing completed', metadata);
        return metadata;
      },
    },
  });
}

export const reprocessRawEvents = defineReprocessRawEvents();

export const reprocessRawEventsJob = defineJob({
  name: 'reprocess_raw_events_job',
  description: 'Reprocesses a range of a tenant’s raw billing events, one task a day.',
  assets: [reprocessRawEvents],
});

function scopeOf({ config, resources, partitions }: RawEventsContext, range: Scope['range']): Scope {
  const tenant = config.tenant_id ?? partitions[0]?.value.id ?? '';
  return { settings: resources.settings, config: { ...config, tenant_id: tenant }, range };
}

/** A partition counts as made only when nothing of its day was left out. */
async function whyRehearsal(context: RawEventsContext, scope: Scope, day: string): Promise<string | undefined> {
  const known = rehearsalReason(scope.config) ?? partOfDay(day, scope.range, context.now());
  if (known !== undefined) return known;
  const start = Date.parse(`${day}T00:00:00Z`);
  const whole = { fromMs: start, toMs: start + DAY_MS - 1 };
  if (scope.config.environment_id === undefined && scope.range.toMs === whole.toMs) return undefined;
  const reader = { clickhouse: context.resources.clickhouse, signal: context.signal };
  const leftOut = await ask(reader, leftOutSql(scope, whole));
  return leftOut.length > 0 ? 'part of a day: the tenant has rows in it that were not asked for' : undefined;
}
