/**
 * The end of a run: what it wrote is verified as a whole, its own tables go, and the customers are given back. Damage
 * fails the run and names the rows.
 */

import type { Json, Metadata, TaskResult } from '@skein/orchestrator';

import { LabelsDisagreeError } from './errors.ts';
import { confirmRegular, finishOperation } from './finish.ts';
import { release } from './lease.ts';
import { type Operation, operationsOf } from './operation.ts';
import { type LabelContext, holdingCustomer, kindOf } from './step.ts';
import { type Verification, asJson, summary } from './verification.ts';

export async function settleRun(
  context: LabelContext & { readonly results: readonly TaskResult[] },
): Promise<Metadata> {
  const answers = context.results.flatMap(({ result }) => (result === undefined || result === null ? [] : [result]));
  if (context.config.dry_run) return { dry_run: true, customers: answers };
  const { appDb: db } = context.resources;
  const operations = await operationsOf(db, { runId: context.run.id });
  const verified: Verification[] = [];
  try {
    for (const operation of operations) {
      const found = await finishCustomer(context, operation);
      if (found) verified.push(found);
    }
  } finally {
    // A step that was cut off is done again by the same run, which still holds its customers.
    if (!context.signal.aborted) {
      for (const customer of new Set(operations.map((operation) => operation.customerId)))
        await release(db, customer, context.run.id);
    }
  }
  const bad = verified.filter((verification) => !verification.passed);
  if (bad.length > 0) {
    throw new LabelsDisagreeError(`Verification failed. ${bad.map(summary).join(' ')}`, {
      details: { verification: bad.map(asJson) },
    });
  }
  if (verified.length === operations.length) await confirmRanges(context, operations);
  return {
    rows: verified.reduce((sum, verification) => sum + verification.rows, 0),
    verified: verified.length === operations.length,
    verification: verified.map(asJson),
    held: answers.filter((answer): answer is { readonly held: Json } => typeof answer === 'object' && 'held' in answer),
  };
}

async function finishCustomer(
  context: LabelContext,
  { id, customerId, state }: Operation,
): Promise<Verification | undefined> {
  const { appDb: db, clickhouse } = context.resources;
  const found = await holdingCustomer(context, customerId, state.windows, (signal) =>
    context.phase('verify', () => finishOperation({ db, clickhouse, signal, log: context.log }, id)),
  );
  if (!found) return undefined;
  context.event('labels_verified', { customer_id: customerId, passed: found.passed, points: asJson(found).points });
  return found;
}

/** For the sensor, once all of a customer's databases are labelled. */
async function confirmRanges(context: LabelContext, operations: readonly Operation[]): Promise<void> {
  for (const { customerId, state } of operations) {
    const [first, last] = [state.windows[0], state.windows.at(-1)];
    if (!first || !last || kindOf(context, state.windows) !== 'regular') continue;
    await confirmRegular(context.resources.appDb, customerId, context.run.id, first.startMs, last.endMs);
  }
}
