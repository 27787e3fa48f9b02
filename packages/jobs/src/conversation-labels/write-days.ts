/**
 * The tasks of a run. A day is written in every database of its customer and then settles its partition: materialized
 * when the whole day was labelled and is over, a rehearsal otherwise, so a partition never claims more than was done.
 */

import {
  type Day,
  type Json,
  type Metadata,
  type PartitionRef,
  type Task,
  dayStart,
  materialized,
  rehearsed,
} from '@skein/orchestrator';
import { z } from 'zod';

import type { CustomerDay } from './config.ts';
import { loadOperation, markUnitsDone, placeOf } from './operation.ts';
import { planOperations } from './prepare.ts';
import { rehearse } from './rehearse.ts';
import { type LabelContext, TaskInput, holdingCustomer, workOf } from './step.ts';
import { prepareStaging, removeStaging, swapPartitions } from './swap.ts';
import { type Unit, writeUnit } from './unit.ts';
import { coversDay, daysOf } from './windows.ts';

type TaskContext = LabelContext & { readonly task: Task<TaskInput> };

export async function runTask(context: TaskContext): Promise<Json> {
  const input = TaskInput.parse(context.task.input);
  switch (input.kind) {
    case 'rehearse':
      return rehearseCustomer(context, input);
    case 'held':
      for (const { key } of context.partitions)
        await context.settlePartition(key, rehearsed(input.reason, { held: true }));
      return { customer_id: input.customer, held: input.reason };
    case 'day':
      return holdingCustomer(context, input.customer, input.windows, (signal) => writeOneDay(context, signal, input));
    case 'swap':
      return holdingCustomer(context, input.customer, input.windows, (signal) => swapAllDays(context, signal, input));
  }
}

async function rehearseCustomer(context: TaskContext, input: TaskInput): Promise<Json> {
  const work = workOf(context, context.signal);
  const operations = await planOperations(work, input.customer, input.windows, context.now().getTime());
  const databases: Json[] = [];
  for (const operation of operations) databases.push((await rehearse(work, operation)) as Json);
  return { customer_id: input.customer, databases };
}

async function writeOneDay(context: TaskContext, signal: AbortSignal, input: TaskInput): Promise<Json> {
  const [ref] = context.partitions;
  if (!ref) return null;
  const metadata = await writeDay(context, signal, input, ref.value.day, context.checkpoint);
  for (const id of input.operations) await markUnitsDone(context.resources.appDb, id, [ref.value.day]);
  await settleDay(context, input, ref, metadata);
  return metadata as Json;
}

/**
 * How far a swap is. While filling, days before `day` are in the staging table and `units` is the state of this one;
 * once the rest of the partitions is being copied, a copy that was cut off cannot be told from a whole one.
 */
const SwapState = z.object({
  phase: z.enum(['filling', 'copying']),
  day: z.string(),
  units: z.json().optional(),
  rows: z.record(z.string(), z.number()),
});

async function swapAllDays(context: TaskContext, signal: AbortSignal, input: TaskInput): Promise<Json> {
  const saved = SwapState.safeParse(context.checkpoint.load());
  const start = saved.success && saved.data.phase === 'filling' ? saved.data : undefined;
  if (saved.success && start === undefined) await renewStaging(context, signal, input);
  const rows: Record<Day, number> = { ...start?.rows };
  const facts = new Map<Day, Metadata>();
  const days = daysOf(input.windows);
  for (const [i, day] of days.entries()) {
    if (start !== undefined && day < start.day) continue;
    let units = day === start?.day ? (start.units as Json | undefined) : undefined;
    const metadata = await writeDay(context, signal, input, day, {
      load: () => units,
      save: async (value) => {
        units = value;
        await context.checkpoint.save({ phase: 'filling', day, units: value, rows });
      },
    });
    facts.set(day, metadata);
    rows[day] = Number(metadata.rows);
    context.progress(i + 1, days.length + 1, day);
  }
  await context.checkpoint.save({ phase: 'copying', day: days.at(-1) ?? '', rows });
  const partitions = await swapOperations(context, signal, input);
  for (const id of input.operations) await markUnitsDone(context.resources.appDb, id, days);
  for (const ref of context.partitions)
    await settleDay(context, input, ref, facts.get(ref.value.day) ?? { rows: rows[ref.value.day] ?? 0 });
  return { days: days.length, partitions_replaced: partitions, rows: Object.values(rows).reduce((a, b) => a + b, 0) };
}

/** A new table, not an emptied one: what the server remembers of inserted blocks goes with the old one. */
async function renewStaging(context: TaskContext, signal: AbortSignal, input: TaskInput): Promise<void> {
  for (const id of input.operations) {
    const operation = await loadOperation(context.resources.appDb, id);
    if (operation.state.mode !== 'swap') continue;
    const swap = { clickhouse: context.resources.clickhouse, place: placeOf(operation), signal };
    await removeStaging(swap);
    await prepareStaging(swap);
  }
}

async function swapOperations(context: TaskContext, signal: AbortSignal, input: TaskInput): Promise<number> {
  const { appDb: db, clickhouse } = context.resources;
  let replaced = 0;
  for (const id of input.operations) {
    const operation = await loadOperation(db, id);
    if (operation.state.mode !== 'swap') continue;
    const swap = { clickhouse, place: placeOf(operation), signal };
    const partitions = await context.phase('replace partitions', () => swapPartitions(swap));
    replaced += partitions.length;
    context.event('labels_partitions_replaced', {
      customer_id: input.customer,
      database: operation.state.database,
      partitions,
    });
  }
  return replaced;
}

async function writeDay(
  context: TaskContext,
  signal: AbortSignal,
  input: TaskInput,
  day: Day,
  checkpoint: Unit['checkpoint'],
): Promise<Metadata> {
  const saved = z.record(z.string(), z.json()).safeParse(checkpoint.load());
  const states: Record<string, Json> = saved.success ? { ...(saved.data as Record<string, Json>) } : {};
  const written: Metadata[] = [];
  for (const id of input.operations) {
    const operation = await loadOperation(context.resources.appDb, id);
    written.push(
      await writeUnit({
        operation,
        day,
        db: context.resources.appDb,
        clickhouse: context.resources.clickhouse,
        signal,
        log: context.log,
        checkpoint: {
          load: () => states[id],
          save: (value) => checkpoint.save(Object.assign(states, { [id]: value })),
        },
        timeoutMs: context.config.mutation_timeout_seconds * 1_000,
        runId: context.run.id,
        target: operation.state.mode === 'swap' ? 'staging' : 'labels',
      }),
    );
  }
  const [only, ...more] = written;
  const rows = written.reduce((sum, metadata) => sum + Number(metadata.rows), 0);
  context.count('skein_labels_rows_written_total', rows);
  return only !== undefined && more.length === 0 ? only : { rows, databases: written as readonly Json[] };
}

async function settleDay(
  context: TaskContext,
  input: TaskInput,
  ref: PartitionRef<CustomerDay>,
  metadata: Metadata,
): Promise<void> {
  const { day } = ref.value;
  if (!coversDay(input.windows, day)) {
    return context.settlePartition(ref.key, rehearsed('only a part of the day was labelled', metadata));
  }
  const isOver = dayStart(day).getTime() + 86_400_000 <= context.now().getTime();
  return context.settlePartition(
    ref.key,
    isOver ? materialized(metadata) : rehearsed('the day has not ended yet', metadata),
  );
}
