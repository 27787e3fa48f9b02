/** Backfills as they travel. */

import { z } from 'zod';

import type { Deployment } from '../../definitions/deployment.ts';
import type { Backfill, BackfillPlan as EnginePlan } from '../../engine/backfill.ts';
import { maskSecrets } from '../mask.ts';
import { Facts, Reason, Tags, Time, iso, named } from '../schema.ts';
import { Version } from '../versions.ts';
import { Outcome } from './partitions.ts';

export const BackfillBody = named(
  'BackfillRequest',
  z.strictObject({
    job: z.string().min(1).max(100),
    ids: z
      .array(z.string().min(1).max(512))
      .min(1)
      .max(10_000)
      .optional()
      .describe('Ids and ranges such as `1..50`; absent: every known one.'),
    from: z.string().max(40).optional().describe('First column by its label, such as a day.'),
    to: z.string().max(40).optional().describe('Last one, included; absent: the last complete one.'),
    statuses: z.array(Outcome).min(1).max(4).optional().describe('Only partitions whose last outcome is one of these.'),
    order: z.enum(['oldest', 'newest']).optional(),
    config: Facts.optional(),
    tags: Tags.optional(),
    max_active: z.number().int().min(1).max(10_000).optional().describe('Runs at once; default 10.'),
    stop_after_failures: z.number().int().min(1).optional(),
    priority: z.number().int().min(-1_000).max(1_000).optional(),
    reason: Reason.optional(),
  }),
);

export const BackfillPlan = named(
  'BackfillPlan',
  z.object({
    total: z.number(),
    to_run: z.number(),
    by_status: z.object({
      missing: z.number(),
      materialized: z.number(),
      failed: z.number(),
      skipped: z.number(),
      active: z.number(),
    }),
    upstream_not_made: z
      .record(z.string(), z.number())
      .describe('Of those that would run, how many have an upstream partition that is not made; by upstream asset.'),
    first: z.string().nullable(),
    last: z.string().nullable(),
  }),
);

export const BackfillPaceItem = named(
  'BackfillPace',
  z.object({
    from: Time,
    minutes: z.number().describe('How long the span is: 1 in the first four hours, then 60; empty spans are left out.'),
    succeeded: z.number(),
    failed: z.number(),
    canceled: z.number(),
  }),
);

export const BackfillItem = named(
  'Backfill',
  z.object({
    id: z.string(),
    job: z.string(),
    asset: z.string().nullable(),
    status: z.enum(['REQUESTED', 'IN_PROGRESS', 'COMPLETED', 'COMPLETED_WITH_FAILURES', 'PAUSED', 'CANCELED']),
    status_by: z.string(),
    status_reason: z.string(),
    rows_total: z.number(),
    rows: z.array(z.string()).describe('The first 1,000.'),
    from: z.number().describe('First column.'),
    to: z.number().describe('Last column, included.'),
    from_label: z.string(),
    to_label: z.string(),
    order: z.enum(['oldest', 'newest']),
    statuses: z.array(Outcome),
    config: Facts,
    max_active: z.number(),
    priority: z.number(),
    version: Version.describe(
      'Grows whenever its status or its limits change; also the ETag, to send back as If-Match.',
    ),
    total: z.number(),
    position: z.number().describe('Partitions looked at so far.'),
    requested: z.number(),
    passed: z.number().describe('Passed over because of their state.'),
    active: z.number(),
    succeeded: z.number(),
    failed: z.number(),
    canceled: z.number(),
    by: z.string(),
    created_at: Time,
    ended_at: Time.nullable(),
  }),
);

export function toPlan(plan: EnginePlan): z.input<typeof BackfillPlan> {
  return {
    total: plan.total,
    to_run: plan.toRun,
    by_status: { ...plan.byStatus },
    upstream_not_made: { ...plan.upstreamNotMade },
    first: plan.first ?? null,
    last: plan.last ?? null,
  };
}

const SHOWN_ROWS = 1_000;

export function toBackfill(deployment: Deployment, backfill: Backfill): z.input<typeof BackfillItem> {
  const asset = deployment.jobs.get(backfill.job)?.assets[0];
  const { range } = backfill;
  const labelOf = (column: number) => asset?.partitions.columns.label(column) ?? '';
  return {
    id: backfill.id,
    job: backfill.job,
    asset: asset?.key ?? null,
    status: backfill.status,
    status_by: backfill.statusBy,
    status_reason: backfill.statusReason,
    rows_total: range.rows.length,
    rows: range.rows.slice(0, SHOWN_ROWS),
    from: range.from,
    to: range.to,
    from_label: labelOf(range.from),
    to_label: labelOf(range.to),
    order: range.order,
    statuses: [...backfill.statuses],
    config: maskSecrets(backfill.config) as Record<string, unknown>,
    max_active: backfill.maxActive,
    priority: backfill.priority,
    version: backfill.version,
    total: backfill.total,
    position: backfill.position,
    requested: backfill.requested,
    passed: backfill.passed,
    active: backfill.active,
    succeeded: backfill.succeeded,
    failed: backfill.failed,
    canceled: backfill.canceled,
    by: backfill.by,
    created_at: backfill.createdAt.toISOString(),
    ended_at: iso(backfill.endedAt),
  };
}
