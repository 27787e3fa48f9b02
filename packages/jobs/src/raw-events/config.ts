/**
 * Config of `reprocess_raw_events`: the original's request with our additions. Decides which days a request touches,
 * and what makes a run a rehearsal, which leaves the state of its partitions as it was.
 */

import {
  ConfigInvalidError,
  type IdDay,
  composite,
  daily,
  dayOf,
  daysBetween,
  dynamic,
  text,
} from '@skein/orchestrator';
import { z } from 'zod';

import { parseRfc3339 } from './rfc3339.ts';
import { PROFILES } from './transform.ts';

const FIRST_DAY = '2015-01-01';
export const tenantDays = composite({ id: dynamic('tenant_id', text), day: daily({ start: FIRST_DAY }) });
export type TenantDay = IdDay<string>;

export const DEFAULT_BATCH_SIZE = 1_000;
const MAX_BATCH_SIZE = 50_000;
/** Half as long again as the partitions' whole history; more days are a typing error in a year. */
const MAX_DAYS = 6_000;
const DAY_MS = 86_400_000;

const instant = z.string('must be text').refine((value) => parseRfc3339(value) !== undefined, {
  message: 'must be in RFC3339 format (e.g., 2006-01-02T15:04:05Z07:00)',
});
const name = z.string('must be text').min(1, 'must not be empty');
const names = z.array(name, 'must be a list of texts').max(10_000, 'must name at most 10000');

export const RawEventsConfig = z.strictObject({
  tenant_id: name.optional().describe('Whose events; taken from the partitions when absent.'),
  environment_id: name.optional().describe('Only this environment; without it all of the tenant.'),
  start_date: instant
    .optional()
    .describe('First instant of the raw events’ timestamp, RFC 3339. Required unless partitions are given.'),
  end_date: instant.optional().describe('Last instant, included; now when absent.'),
  external_customer_id: name.optional().describe('Only this customer, as the raw row spells it.'),
  external_customer_ids: names.default([]).describe('Only these customers.'),
  event_name: name.optional().describe('Only this event name, as the raw row spells it.'),
  event_names: names.default([]).describe('Only these event names.'),
  batch_size: z
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .max(MAX_BATCH_SIZE, `must be at most ${MAX_BATCH_SIZE}`)
    .default(DEFAULT_BATCH_SIZE)
    .describe('Events read, transformed and sent at a time.'),
  profile: z
    .enum(PROFILES, 'must be seed or current')
    .default('seed')
    .describe('The revision of the mapping: seed requires data.modelName, current does not.'),
  dry_run: z.boolean('must be true or false').default(false).describe('Read, transform and count; send nothing.'),
  sample_percent: z
    .number('must be a number')
    .gt(0, 'must be more than 0')
    .max(100, 'must be at most 100')
    .default(100)
    .describe('So many per cent of the events, the same ones each time, chosen by event id.'),
  dead_letter_topic: z
    .string('must be a topic or null')
    .regex(/^[A-Za-z0-9._-]{1,249}$/, 'must be a Kafka topic name')
    .nullable()
    .default(null)
    .describe('Where dropped, erroneous and failed events go, with the reason.'),
  only_missing: z
    .boolean('must be true or false')
    .default(false)
    .describe('Skip events that the final events table already has.'),
});

export type RawEventsConfig = z.output<typeof RawEventsConfig>;

/** An instant range in milliseconds, both ends included; the columns hold no finer. */
export interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Both spellings of a filter, each value once. */
export function customersOf(config: RawEventsConfig): string[] {
  return union(config.external_customer_id, config.external_customer_ids);
}

export function eventNamesOf(config: RawEventsConfig): string[] {
  return union(config.event_name, config.event_names);
}

/** The partitions that a request without any names. @throws ConfigInvalidError */
export function daysOfRange(config: RawEventsConfig, now: Date): string[] {
  const tenant = config.tenant_id;
  if (tenant === undefined) throw invalid('tenant_id', 'is required unless partitions are given');
  if (config.start_date === undefined) throw invalid('start_date', 'is required unless partitions are given');
  const { fromMs, toMs } = requestedRange(config, now);
  if (fromMs > toMs) throw invalid('start_date', 'Start date must be before end date');
  if (toMs - fromMs > MAX_DAYS * DAY_MS) throw invalid('end_date', `lies more than ${MAX_DAYS} days after start_date`);
  if (dayOf(new Date(fromMs)) < FIRST_DAY)
    throw invalid('start_date', `lies before ${FIRST_DAY}, the first day of this asset`);
  return daysBetween(dayOf(new Date(fromMs)), dayOf(new Date(toMs))).map((day) =>
    tenantDays.format(tenantDays.parse(`${tenant}_${day}`)),
  );
}

/** Takes the tenant from the partitions. @throws ConfigInvalidError when config and partitions contradict each other */
export function bindTenant(config: RawEventsConfig, partitions: readonly TenantDay[]): RawEventsConfig {
  const [first] = partitions;
  if (first === undefined) return config;
  const tenant = config.tenant_id ?? first.id;
  const other = partitions.find(({ id }) => id !== tenant);
  if (other) throw invalid('tenant_id', `is ${tenant}, but a partition is of tenant ${other.id}; one tenant a run`);
  return { ...config, tenant_id: tenant };
}

/** The part of a day that a request asks for; undefined when they do not meet. */
export function rangeOfDay(config: RawEventsConfig, day: string, now: Date): Range | undefined {
  const start = Date.parse(`${day}T00:00:00Z`);
  const asked =
    config.start_date === undefined && config.end_date === undefined ? undefined : requestedRange(config, now);
  const fromMs = Math.max(start, asked?.fromMs ?? start);
  const toMs = Math.min(start + DAY_MS - 1, asked?.toMs ?? Infinity);
  return fromMs <= toMs ? { fromMs, toMs } : undefined;
}

/** Why a run with this config leaves the state of every partition as it was; undefined when it does not. */
export function rehearsalReason(config: RawEventsConfig): string | undefined {
  if (config.dry_run) return 'dry run: nothing was sent';
  if (config.sample_percent < 100) return `sample: ${config.sample_percent} % of the events`;
  if (customersOf(config).length > 0) return 'filter: only some customers';
  if (eventNamesOf(config).length > 0) return 'filter: only some event names';
  return undefined;
}

/** Why this part of a day is not the whole of it; undefined when it is, up to the last second's fraction. */
export function partOfDay(day: string, range: Range, now: Date): string | undefined {
  const start = Date.parse(`${day}T00:00:00Z`);
  if (range.fromMs > start) return 'part of a day: it starts later';
  if (range.toMs < start + DAY_MS - 1_000) return 'part of a day: it ends earlier';
  if (now.getTime() < start + DAY_MS) return 'part of a day: the day is not over';
  return undefined;
}

function requestedRange(config: RawEventsConfig, now: Date): Range {
  const from = config.start_date === undefined ? undefined : parseRfc3339(config.start_date);
  const to = config.end_date === undefined ? undefined : parseRfc3339(config.end_date);
  return { fromMs: Math.ceil(from?.ms ?? -Infinity), toMs: Math.floor(to?.ms ?? now.getTime()) };
}

function union(one: string | undefined, many: readonly string[]): string[] {
  return [...new Set(one === undefined ? many : [one, ...many])];
}

function invalid(path: string, message: string): ConfigInvalidError {
  return new ConfigInvalidError(`The config of reprocess_raw_events is not valid: ${path}: ${message}.`, {
    details: { fields: [{ path, message }] },
  });
}
