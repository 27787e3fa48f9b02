/**
 * What the steps of a labelling run have in common: its context, what travels from the plan to the tasks, the kind of
 * run that it is, and working with the customer's lease held.
 */

import { CancelledError, type StepContext, composite, daily, dynamic, text } from '@skein/orchestrator';
import { z } from 'zod';

import { clickhouse } from '../resources/clickhouse.ts';
import { appDb } from '../resources/postgres.ts';
import type { CustomerDay, LabelConversationsConfig } from './config.ts';
import { type HolderKind, LEASE_TERMS, holding, release } from './lease.ts';
import type { Work } from './prepare.ts';
import { type Window, daysOf } from './windows.ts';

export const labelResources = { clickhouse, appDb };
type Resources = { readonly [K in keyof typeof labelResources]: NonNullable<(typeof labelResources)[K]['type']> };
export type LabelContext = StepContext<CustomerDay, LabelConversationsConfig, Resources>;

export const customerDays = composite({ id: dynamic('customer_id', text), day: daily({ start: '2015-01-01' }) });

/** A run with this tag is the sensor's: it skips a customer that is held, where others are refused. */
export const REGULAR_TAG = { labelling: 'regular' } as const;

/** What one task does; windows and operations are the customer's. */
export const TaskInput = z.object({
  kind: z.enum(['day', 'swap', 'rehearse', 'held']),
  customer: z.string(),
  windows: z.array(z.object({ startMs: z.number(), endMs: z.number() })),
  operations: z.array(z.string()),
  reason: z.string(),
});
export type TaskInput = z.output<typeof TaskInput>;

const isRegular = (context: LabelContext) => context.run.tags.labelling === REGULAR_TAG.labelling;

export function kindOf(context: LabelContext, windows: readonly Window[]): HolderKind {
  if (isRegular(context)) return 'regular';
  return daysOf(windows).length === 1 ? 'day' : 'backfill';
}

/** A person's cancellation gives the customer back at once; any other end of the step leaves it to the run. */
export async function holdingCustomer<T>(
  context: LabelContext,
  customerId: string,
  windows: readonly Window[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { appDb: db } = context.resources;
  const kind = kindOf(context, windows);
  try {
    return await holding(
      { db, customerId, runId: context.run.id, kind, terms: LEASE_TERMS, signal: context.signal },
      work,
    );
  } catch (error) {
    if (context.signal.aborted && context.signal.reason instanceof CancelledError) {
      await release(db, customerId, context.run.id).catch(() => false);
    }
    throw error;
  }
}

export function workOf(context: LabelContext, signal: AbortSignal): Work {
  return {
    db: context.resources.appDb,
    clickhouse: context.resources.clickhouse,
    signal,
    log: context.log,
    config: context.config,
    runId: context.run.id,
    regular: isRegular(context),
    phase: (name, work) => context.phase(name, work),
    event: (name, fields) => context.event(name, fields),
  };
}
