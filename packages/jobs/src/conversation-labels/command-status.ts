/** `skein labels status`: what the ledger says of a customer's days, who holds the customer, and what was left open. */

import { type CommandContext, type Json, addDays, dayOf, daysBetween, parseDay } from '@skein/orchestrator';

import { appDb } from '../resources/postgres.ts';
import { liveLeases } from './lease.ts';
import { openDays, operationsOf } from './operation.ts';
import { customerDays } from './step.ts';

interface StatusOptions {
  readonly customer: string;
  readonly from?: string;
  readonly to?: string;
}

/** Without a range: the last 60 days. */
const DEFAULT_DAYS = 60;

export async function showStatus(context: CommandContext, options: StatusOptions): Promise<void> {
  const to = parseDay(options.to ?? addDays(dayOf(new Date()), -1));
  const from = parseDay(options.from ?? addDays(to, 1 - DEFAULT_DAYS));
  const keys = daysBetween(from, to).map((day) => customerDays.format({ id: options.customer, day }));
  const client = await context.client();
  const states = await client.partitionStatus('label_conversations', keys);
  const groups = new Map<string, string[]>();
  for (const key of keys) {
    const state = states.get(key);
    const name = state === undefined ? 'missing' : state.activity === 'idle' ? state.outcome : state.activity;
    groups.set(name, [...(groups.get(name) ?? []), key.slice(-10)]);
  }
  const db = await context.open(appDb);
  const [lease] = await liveLeases(db, options.customer);
  const left = lease === undefined ? await leftOpen(db, options.customer) : [];
  const facts: Json = {
    customer: options.customer,
    from,
    to,
    days: Object.fromEntries(
      [...groups].map(([name, days]) => [
        name,
        { count: days.length, first: days[0] ?? null, last: days.at(-1) ?? null },
      ]),
    ),
    held_by: lease
      ? {
          run_id: lease.run_id,
          kind: lease.kind,
          since: lease.taken_at.toISOString(),
          until: lease.expires_at.toISOString(),
        }
      : null,
    left_open: left,
  };
  context.print(facts, () => [
    ...[...groups].map(
      ([name, days]) => `${name.padEnd(13)} ${String(days.length).padStart(5)}   ${days[0]} ... ${days.at(-1)}`,
    ),
    lease
      ? `Held by ${lease.kind} run ${lease.run_id} since ${lease.taken_at.toISOString()}.`
      : 'Nobody holds the customer.',
    ...left.map((day) => `Deleted and not written again: ${day}. Run this day again.`),
  ]);
}

async function leftOpen(db: Parameters<typeof operationsOf>[0], customerId: string): Promise<string[]> {
  const { rows } = await db.query<{ there: boolean }>(
    `SELECT to_regclass('skein_labels.operations') IS NOT NULL AS there`,
  );
  if (!rows[0]?.there) return [];
  const operations = await operationsOf(db, { customerId });
  return [
    ...new Set(
      operations
        .filter((o) => o.state.stage === 'deleted' && o.state.mode === 'delete-insert')
        .flatMap((o) => openDays(o.state)),
    ),
  ].sort();
}
