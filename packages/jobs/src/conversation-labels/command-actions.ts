/** What the `skein labels` commands change, each after it has said what it will do. */

import { createInterface } from 'node:readline/promises';
import { userInfo } from 'node:os';

import {
  type CommandContext,
  ConfigInvalidError,
  type Json,
  NotFoundError,
  RefusedError,
  parseDay,
} from '@skein/orchestrator';

import { clickhouse } from '../resources/clickhouse.ts';
import { appDb } from '../resources/postgres.ts';
import { type RangeOptions, commandWork, windowOf } from './command-options.ts';
import { LEASE_TERMS, ensureOwnSchema, holding, liveLeases, release as releaseLease } from './lease.ts';
import { migrateLayout } from './migrate-layout.ts';
import { ask } from './operation.ts';
import { planOperations } from './prepare.ts';
import { listProfiles, sitesOf } from './profiles.ts';
import { rehearse } from './rehearse.ts';
import { customerDays } from './step.ts';
import { daysOf, instantText } from './windows.ts';

const ASSET = 'label_conversations';
const JOB = 'label_conversations_job';
const ENDED = new Set(['SUCCESS', 'FAILURE', 'CANCELED']);

interface CustomerOptions {
  readonly customer: string;
}

export async function reset(
  context: CommandContext,
  options: CustomerOptions & { readonly day: string },
): Promise<void> {
  const key = customerDays.format({ id: options.customer, day: parseDay(options.day) });
  const client = await context.client();
  const state = (await client.partitionStatus(ASSET, [key])).get(key);
  if (state === undefined || (state.outcome === 'missing' && state.activity === 'idle')) {
    context.note(`${key} has never been labelled; there is nothing to reset.`);
    context.print({ partition: key, reset: false }, () => []);
    context.exitWith(1);
    return;
  }
  if (state.activity !== 'idle')
    throw new RefusedError(`${key} is ${state.activity}: wait for its run or cancel it first.`);
  await client.markPartitions(ASSET, [key], 'missing', who());
  context.print({ partition: key, reset: true, was: state.outcome }, () => [
    `${key} is missing again (was ${state.outcome}). Its runs and their number are kept.`,
  ]);
}

export async function release(context: CommandContext, { customer }: CustomerOptions): Promise<void> {
  const db = await context.open(appDb);
  const [lease] = await liveLeases(db, customer);
  if (!lease) {
    context.print({ customer, released: false }, () => [`Nobody holds ${customer}.`]);
    return;
  }
  const status = await statusOf(context, lease.run_id);
  if (status !== undefined && !ENDED.has(status)) {
    throw new RefusedError(
      `Run ${lease.run_id} holds ${customer} and is ${status}: cancel it with “skein runs cancel ${lease.run_id}”.`,
    );
  }
  await releaseLease(db, customer, lease.run_id);
  context.print({ customer, released: true, run_id: lease.run_id }, () => [
    `${customer} is free again; run ${lease.run_id} ${status === undefined ? 'is not known any more' : `ended ${status}`}.`,
  ]);
}

async function statusOf(context: CommandContext, runId: string): Promise<string | undefined> {
  try {
    return (await (await context.client()).run(runId)).status;
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

interface BackfillOptions extends RangeOptions {
  readonly mode?: 'delete-insert' | 'swap';
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly wait?: boolean;
}

export async function backfill(context: CommandContext, options: BackfillOptions): Promise<void> {
  const window = windowOf(options);
  const base = await commandWork(context, options, 'preview');
  const work = options.mode === undefined ? base : { ...base, config: { ...base.config, mode: options.mode } };
  const databases: Json[] = [];
  for (const operation of await planOperations(work, options.customer, [window], Date.now()))
    databases.push((await rehearse(work, operation)) as Json);
  const preview: Json = { customer: options.customer, days: daysOf([window]).length, databases };
  if (options.dryRun) return context.print({ dry_run: true, ...preview }, () => [JSON.stringify(preview, null, 2)]);
  context.note(JSON.stringify(preview, null, 2));
  await confirm(options.yes, `Relabel ${daysOf([window]).length} days of ${options.customer}?`);

  const client = await context.client();
  const { runId } = await client.submit({
    job: JOB,
    cause: who(),
    config: {
      customer_id: options.customer,
      range_start: instantText(window.startMs),
      range_end: instantText(window.endMs),
      selection: options.selection,
      cluster: options.cluster ?? null,
      ...(options.mode === undefined ? {} : { mode: options.mode }),
    },
  });
  if (!options.wait)
    return context.print({ run_id: runId }, () => [
      `Run ${runId} is launched. Follow it with “skein runs logs ${runId}”.`,
    ]);
  const run = await client.wait(runId);
  context.print(
    { run_id: runId, status: run.status, counts: { ...run.counts }, result: (run.result ?? null) as Json },
    () => [
      `Run ${runId}: ${run.status}. ${run.counts.materialized} of ${run.counts.total} days materialized.${run.error ? ` ${run.error.message}` : ''}`,
    ],
  );
  context.exitWith(run.status === 'SUCCESS' ? 0 : 1);
}

export async function migrate(
  context: CommandContext,
  { customer, yes }: CustomerOptions & { readonly yes?: boolean },
): Promise<void> {
  const db = await context.open(appDb);
  const ch = await context.open(clickhouse);
  const work = await commandWork(context, { selection: 'ended_at' }, 'migrate');
  const sites = sitesOf(await listProfiles(db, customer, work.log));
  await confirm(
    yes,
    `Move ${sites.map((site) => site.database).join(', ')} to the new layout? The old tables are kept.`,
  );
  await ensureOwnSchema(db);
  const moved: Json[] = [];
  for (const { database } of sites) {
    const others = await ask<{ customer_id: string }>(
      db,
      'SELECT DISTINCT customer_id FROM app.profiles WHERE clickhouse_database = $1 ORDER BY 1',
      [database],
    );
    const all = others.reduceRight(
      (inner, { customer_id }) =>
        () =>
          holding(
            {
              db,
              customerId: customer_id,
              runId: `migrate-${database}`,
              kind: 'backfill',
              terms: LEASE_TERMS,
              signal: work.signal,
            },
            inner,
          ),
      () => migrateLayout(ch, database),
    );
    try {
      const { rows, rowsBefore, kept } = await all();
      moved.push({ database, rows_before: rowsBefore, rows, kept });
    } finally {
      for (const { customer_id } of others) await releaseLease(db, customer_id, `migrate-${database}`);
    }
  }
  context.print({ customer, databases: moved }, () => moved.map((one) => JSON.stringify(one)));
}

/** @throws ConfigInvalidError without a terminal and without `--yes` */
async function confirm(yes: boolean | undefined, question: string): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY)
    throw new ConfigInvalidError('This changes data and there is no terminal to ask on: say --yes.');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new ConfigInvalidError('Not confirmed; nothing was changed.');
  } finally {
    terminal.close();
  }
}

function who(): string {
  return `cli:${userInfo().username}`;
}
