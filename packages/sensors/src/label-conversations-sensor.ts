/**
 * `label_conversations_sensor`: every 30 minutes, from each customer's watermark to now. The watermark stands in the
 * cursor and moves only over ranges that a run has confirmed, so a failed, skipped or lost run leaves no hole. When a
 * day is over it is labelled once more as a whole, which catches what changed after it was labelled and settles its
 * partition. A customer that a backfill holds is left out, and the tick says so.
 */

import {
  REGULAR_TAG,
  appDb,
  batchSizeMs,
  clickhouse,
  customerDays,
  customerFilter,
  cutWindow,
  instantText,
  labelConversationsJob,
  lastRegularRanges,
  listProfiles,
  liveLabelLeases,
  readWatermark,
  sitesOf,
  switchedOff,
} from '@skein/jobs';
import { type RunRequest, addDays, dayOf, dayStart, defineSensor, request, skip } from '@skein/orchestrator';
import { z } from 'zod';

const instant = z.iso.datetime({
  offset: true,
  message: 'is not an RFC 3339 instant; write one such as 2026-01-01T00:00:00Z',
});

const CustomerCursor = z.object({
  labelled_to: instant.describe('Everything that ended before is labelled.').meta({ watermark: true }),
  requested_to: instant.optional().describe('The end of the range that was asked for last and is not confirmed yet.'),
});
type CustomerCursor = z.output<typeof CustomerCursor>;

export const LabelConversationsCursor = z.object({
  customers: z.record(z.string(), CustomerCursor).default({}),
  initial_hours: z
    .number()
    .positive()
    .max(24 * 366)
    .default(24)
    .describe('How far back a customer without any label begins.'),
  position: z.string().default('not started').describe('For people: what the last tick did.'),
});

/** Of one customer in one tick: after a long stop the following ticks take the rest. */
const MAX_PIECES = 31;

export const labelConversationsSensor = defineSensor({
  name: 'label_conversations_sensor',
  description: 'Every 30 minutes: labels the conversations that ended since each customer’s watermark.',
  job: labelConversationsJob,
  every: '30m',
  timeout: '120s',
  cursor: LabelConversationsCursor,
  resources: { appDb, clickhouse },
  async evaluate({ cursor, now, resources, runs, log, signal, budget }) {
    const off = switchedOff(process.env);
    if (off) return skip(`The regular labelling is switched off: ${off}.`);
    const list = await listProfiles(resources.appDb, customerFilter(process.env), log);
    const leases = new Map((await liveLabelLeases(resources.appDb)).map((lease) => [lease.customer_id, lease]));
    const confirmed = await lastRegularRanges(resources.appDb);
    const pieceMs = batchSizeMs(process.env);
    const customers: Record<string, CustomerCursor> = { ...cursor.customers };
    const requests: RunRequest[] = [];
    const left: string[] = [];

    for (const customer of [...new Set(list.kept.map((profile) => profile.customer_id))]) {
      if (budget.remainingMs() < 5_000) {
        left.push('the tick ran out of time before the rest');
        break;
      }
      const lease = leases.get(customer);
      if (lease && lease.kind !== 'regular') {
        left.push(`${customer} is held by ${lease.kind === 'backfill' ? 'the backfill' : 'the run'} ${lease.run_id}`);
        continue;
      }
      const tags = { ...REGULAR_TAG, customer };
      if ((await runs.countActive({ job: labelConversationsJob.name, tags })) > 0) {
        left.push(`${customer} is still being labelled`);
        continue;
      }
      const sites = sitesOf({ ...list, kept: list.kept.filter((profile) => profile.customer_id === customer) });
      const known = customers[customer];
      const from =
        known === undefined
          ? ((await readWatermark({ clickhouse: resources.clickhouse, signal, config: WATERMARK }, customer, sites)) ??
            now.getTime() - cursor.initial_hours * 3_600_000)
          : confirmedTo(known, confirmed.get(customer));
      const pieces = piecesUntil(from, now.getTime(), pieceMs);
      const end = pieces.at(-1)?.endMs ?? from;
      customers[customer] = {
        labelled_to: instantText(from),
        ...(end > from ? { requested_to: instantText(end) } : {}),
      };
      if (end <= from) continue;
      requests.push(requestOf(customer, from, end, tags));
    }

    const position = [
      `${requests.length} of ${new Set(list.kept.map((profile) => profile.customer_id)).size} customers asked for`,
      ...left,
    ].join('; ');
    const oldest = Math.min(now.getTime(), ...Object.values(customers).map((one) => Date.parse(one.labelled_to)));
    const next = { cursor: { ...cursor, customers, position }, lag: Math.round((now.getTime() - oldest) / 1_000) };
    return requests.length > 0
      ? request(requests, next)
      : skip(left.length > 0 ? left.join('; ') : 'every customer is labelled up to now', next);
  },
});

const WATERMARK = { cluster: null, selection: 'ended_at' } as const;

function confirmedTo(
  known: CustomerCursor,
  last: { readonly startMs: number; readonly endMs: number } | undefined,
): number {
  const labelledTo = Date.parse(known.labelled_to);
  if (known.requested_to === undefined || last === undefined) return labelledTo;
  const requestedTo = Date.parse(known.requested_to);
  return last.endMs === requestedTo && last.startMs <= labelledTo ? requestedTo : labelledTo;
}

/** Batches of at most `pieceMs`; a tick takes a bounded number of them. */
function piecesUntil(from: number, now: number, pieceMs: number) {
  return from < now ? cutWindow({ startMs: from, endMs: now }, pieceMs, MAX_PIECES) : [];
}

/**
 * One run for the whole range: its days are its partitions. Where the range ends a day, it begins with that day's
 * start, so that the day is labelled as a whole.
 */
function requestOf(customer: string, from: number, end: number, tags: Readonly<Record<string, string>>): RunRequest {
  const firstDay = dayOf(new Date(from));
  const endsFirstDay = end >= dayStart(addDays(firstDay, 1)).getTime();
  const start = endsFirstDay ? dayStart(firstDay).getTime() : from;
  const days: string[] = [];
  for (let day = firstDay; dayStart(day).getTime() < end; day = addDays(day, 1))
    days.push(customerDays.format({ id: customer, day }));
  return {
    partitions: days,
    config: { range_start: instantText(start), range_end: instantText(end) },
    tags,
    priority: 10,
    // Days repeat through the day, so the range is what makes a request its own.
    runKey: `${customer}|${instantText(start)}|${instantText(end)}`,
  };
}
