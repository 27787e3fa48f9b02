/**
 * The config of `label_conversations`: which customer, which half-open range, and how rows are replaced. A run names
 * its scope by partitions, by customer and range, or by the customer alone (then from the watermark to now). Bounds are
 * RFC 3339 with a zone; what is not said is taken from the environment variables of the job that this one replaces.
 */

import { type Day, ConfigInvalidError, type IdDay } from '@skein/orchestrator';
import { z } from 'zod';

import { rangeDefaults } from './environment.ts';
import { type Window, daysOf, intersect, windowsOfDays } from './windows.ts';

const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

const instant = z
  .string()
  .refine(
    (text) => parseInstant(text) !== undefined,
    'is not an RFC 3339 instant; write one such as 2026-01-01T00:00:00Z',
  );

/** A cluster's name goes into SQL as an identifier, so only these. */
const clusterName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_-]{0,127}$/, 'is not the name of a cluster: letters, digits, _ and -');

export const LabelConversationsConfig = z
  .object({
    customer_id: z.string().min(1, 'is empty').optional(),
    range_start: instant.optional(),
    range_end: instant.optional(),
    /** Absent: `swap` where the database or the partition key separates customers, `delete-insert` elsewhere. */
    mode: z.enum(['delete-insert', 'swap']).optional(),
    selection: z.enum(['ended_at', 'created_at']).default('ended_at'),
    cluster: clusterName.nullable().default(null),
    mutation_timeout_seconds: z.number().positive().max(86_400).default(600),
    /** The rows are known to be gone already; proven by counting, never assumed. */
    skip_delete: z.boolean().default(false),
    dry_run: z.boolean().default(false),
  })
  .superRefine((config, context) => {
    const problem = rangeProblem(config);
    if (problem) context.addIssue({ code: 'custom', path: [problem.field], message: problem.message });
  });

export type LabelConversationsConfig = z.output<typeof LabelConversationsConfig>;
export type Selection = LabelConversationsConfig['selection'];
type Environment = Readonly<Record<string, string | undefined>>;
type Range = Pick<LabelConversationsConfig, 'range_start' | 'range_end'>;
export type CustomerDay = IdDay<string>;

/** Milliseconds of an RFC 3339 text, undefined when it is none; more than milliseconds are cut off. */
export function parseInstant(text: string): number | undefined {
  if (!RFC_3339.test(text)) return undefined;
  const ms = Date.parse(text.toUpperCase().replace(' ', 'T'));
  if (Number.isNaN(ms)) return undefined;
  // Date.parse rolls 2026-02-30 over to March.
  const day = text.slice(0, 10);
  return new Date(`${day}T00:00:00Z`).toISOString().slice(0, 10) === day ? ms : undefined;
}

function rangeProblem({ range_start, range_end }: Range): { field: string; message: string } | undefined {
  if (range_start === undefined && range_end === undefined) return undefined;
  if (range_start === undefined)
    return { field: 'range_start', message: 'is not set although range_end is; set both or neither' };
  if (range_end === undefined)
    return { field: 'range_end', message: 'is not set although range_start is; set both or neither' };
  const [start, end] = [parseInstant(range_start), parseInstant(range_end)];
  if (start === undefined || end === undefined) return undefined;
  if (start >= end) return { field: 'range_end', message: `${range_end} is not after range_start ${range_start}` };
  return undefined;
}

/** The configured range; undefined when the config names none. */
function rangeOf({ range_start, range_end }: Range): Window | undefined {
  const startMs = range_start === undefined ? undefined : parseInstant(range_start);
  const endMs = range_end === undefined ? undefined : parseInstant(range_end);
  return startMs === undefined || endMs === undefined ? undefined : { startMs, endMs };
}

/** The config with what it does not say taken from the environment. @throws ConfigInvalidError for half a range */
export function withEnvironment(config: LabelConversationsConfig, env: Environment): LabelConversationsConfig {
  if (config.customer_id !== undefined && config.range_start !== undefined) return config;
  const { customerId, rangeStart, rangeEnd } = rangeDefaults(env);
  const range = config.range_start === undefined ? { range_start: rangeStart, range_end: rangeEnd } : {};
  return LabelConversationsConfig.parse({ ...config, customer_id: config.customer_id ?? customerId, ...range });
}

/** Partition keys of a config that names its scope; null when the watermark must be asked (customer without range). */
export function partitionsOfConfig(given: LabelConversationsConfig, env: Environment): readonly string[] | null {
  const config = parsed(() => withEnvironment(given, env));
  if (config.customer_id === undefined) {
    throw new ConfigInvalidError(
      'The config of label_conversations names no scope: give partitions, or set customer_id (and range_start, range_end).',
    );
  }
  const range = rangeOf(config);
  if (range === undefined) return null;
  return daysOf([range]).map((day) => `${config.customer_id}_${day}`);
}

/**
 * Where neither partitions nor config name a range but the environment names just these days, its exact bounds count.
 * @throws ConfigInvalidError when partitions and config contradict each other
 */
export function bindToPartitions(
  given: LabelConversationsConfig,
  partitions: readonly CustomerDay[],
  env: Environment,
): LabelConversationsConfig {
  const config = boundByEnvironment(given, partitions, env);
  const range = rangeOf(config);
  for (const { id, day } of partitions) {
    if (config.customer_id !== undefined && config.customer_id !== id) {
      throw new ConfigInvalidError(
        `customer_id is “${config.customer_id}”, but the partition ${id}_${day} is of another customer.`,
      );
    }
    if (range && intersect(windowsOfDays([day]), range).length === 0) {
      throw new ConfigInvalidError(`range_start and range_end do not touch the partition ${id}_${day}.`);
    }
  }
  return config;
}

function boundByEnvironment(
  config: LabelConversationsConfig,
  partitions: readonly CustomerDay[],
  env: Environment,
): LabelConversationsConfig {
  if (config.range_start !== undefined || partitions.length === 0) return config;
  const whole = parsed(() => withEnvironment(config, env));
  const range = rangeOf(whole);
  if (!range || whole.customer_id === undefined) return config;
  const meant = new Set(daysOf([range]).map((day) => `${whole.customer_id}_${day}`));
  const same = meant.size === partitions.length && partitions.every(({ id, day }) => meant.has(`${id}_${day}`));
  return same ? whole : config;
}

/** Values of the environment are held against the same schema, and refused in the same words. */
function parsed(read: () => LabelConversationsConfig): LabelConversationsConfig {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const what = error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
    throw new ConfigInvalidError(`The environment variables of the labelling are not valid: ${what}.`);
  }
}

/** What a run labels of each customer: the partitions' days, cut to the configured range. */
export function scopeOf(
  config: LabelConversationsConfig,
  partitions: readonly CustomerDay[],
): ReadonlyMap<string, readonly Window[]> {
  const days = new Map<string, Day[]>();
  for (const { id, day } of partitions) days.set(id, [...(days.get(id) ?? []), day]);
  const range = rangeOf(config);
  return new Map(
    [...days]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, list]) => {
        const windows = windowsOfDays(list);
        return [id, range ? intersect(windows, range) : windows];
      }),
  );
}
