/**
 * The plan of a run: for each customer the lease is taken, the affected conversations are recorded, and in
 * `delete-insert` mode all of their rows are deleted at once; then each day becomes a task. A customer whose database
 * swaps partitions is one task for all days.
 */

import { SkeinError, type Task } from '@skein/orchestrator';
import { z } from 'zod';

import { scopeOf, withEnvironment } from './config.ts';
import { CustomerHeldError } from './errors.ts';
import { ensureOwnSchema, release } from './lease.ts';
import { type Operation, operationsOf } from './operation.ts';
import { planOperations, prepareOperation } from './prepare.ts';
import { type LabelContext, type TaskInput, customerDays, holdingCustomer, kindOf, workOf } from './step.ts';
import { fromWatermark } from './watermark.ts';
import { type Window, daysOf } from './windows.ts';

/** The operations of each customer: a plan that is done again goes on with its own. */
const PlanState = z.record(z.string(), z.array(z.string()));
type PlanState = z.output<typeof PlanState>;

/** The attempts that the asset's retry policy gives each step. */
export const STEP_ATTEMPTS = 3;

export async function planTasks(context: LabelContext): Promise<Task<TaskInput>[]> {
  const scope = await scopeOfRun(context);
  const saved = PlanState.safeParse(context.checkpoint.load());
  const state: PlanState = saved.success ? { ...saved.data } : {};
  const tasks: Task<TaskInput>[] = [];
  if (!context.config.dry_run) await ensureOwnSchema(context.resources.appDb);
  for (const [index, customer] of [...scope.keys()].entries()) {
    tasks.push(...(await planCustomer(context, scope, state, `c${index}`, customer)));
  }
  return tasks;
}

/** Partitions, or the range of the config; of a customer alone, from its watermark to now. */
async function scopeOfRun(context: LabelContext): Promise<ReadonlyMap<string, readonly Window[]>> {
  if (context.partitions.length > 0)
    return scopeOf(
      context.config,
      context.partitions.map((ref) => ref.value),
    );
  const { customer_id = '' } = withEnvironment(context.config, process.env);
  return fromWatermark(workOf(context, context.signal), customer_id, context.now());
}

async function planCustomer(
  context: LabelContext,
  scope: ReadonlyMap<string, readonly Window[]>,
  state: PlanState,
  prefix: string,
  customer: string,
): Promise<Task<TaskInput>[]> {
  const windows = scope.get(customer) ?? [];
  const input = (kind: TaskInput['kind'], operations: string[], reason = '') => ({
    kind,
    customer,
    windows: [...windows],
    operations,
    reason,
  });
  const days = daysOf(windows);
  const keyOf = (day: string) => customerDays.format({ id: customer, day });
  if (days.length === 0) return [];
  if (context.config.dry_run) return [{ id: `${prefix}-rehearse`, partitions: [], input: input('rehearse', []) }];
  try {
    const operations = await holdingCustomer(context, customer, windows, (signal) =>
      prepareCustomer(context, signal, state, customer, windows),
    );
    const ids = operations.map((operation) => operation.id);
    // A day is whole only when it is in all of the customer's databases: where one of them swaps, one task does all.
    if (operations.some((operation) => operation.state.mode === 'swap')) {
      return [{ id: `${prefix}-swap`, partitions: days.map(keyOf), input: input('swap', ids) }];
    }
    return days.map((day) => ({ id: `${prefix}-${day}`, partitions: [keyOf(day)], input: input('day', ids) }));
  } catch (error) {
    if (!(error instanceof CustomerHeldError) || kindOf(context, windows) !== 'regular') {
      await giveBackAtTheEnd(context, scope, error);
      throw error;
    }
    context.log.warn('The customer is held; the regular labelling skips it.', {
      customer_id: customer,
      why: error.message,
    });
    return [{ id: `${prefix}-held`, partitions: days.map(keyOf), input: input('held', [], error.message) }];
  }
}

async function prepareCustomer(
  context: LabelContext,
  signal: AbortSignal,
  state: PlanState,
  customer: string,
  windows: readonly Window[],
): Promise<Operation[]> {
  const work = workOf(context, signal);
  const known = await operationsOf(work.db, { runId: context.run.id });
  const mine = known.filter((operation) => state[customer]?.includes(operation.id));
  const planned = mine.length > 0 ? mine : await planOperations(work, customer, windows, context.now().getTime());
  state[customer] = planned.map((operation) => operation.id);
  await context.checkpoint.save(state);
  const ready: Operation[] = [];
  for (const operation of planned) ready.push(await prepareOperation(work, operation, context.run.attempt));
  return ready;
}

/** No step follows a plan that failed for good, so nobody else would; before another try the run keeps its customers. */
async function giveBackAtTheEnd(
  context: LabelContext,
  scope: ReadonlyMap<string, unknown>,
  error: unknown,
): Promise<void> {
  const triedAgain = !(error instanceof SkeinError && !error.retryable) && context.run.attempt < STEP_ATTEMPTS;
  if (triedAgain || context.signal.aborted) return;
  for (const customer of scope.keys())
    await release(context.resources.appDb, customer, context.run.id).catch(() => false);
}
