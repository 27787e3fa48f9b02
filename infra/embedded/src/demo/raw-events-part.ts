/**
 * The raw events' part of the demo: six days of one tenant are reprocessed into the final events. ClickHouse itself
 * says, by rules of its own SQL, which raw events are good; exactly those must have arrived, at their own instants.
 */

import { tenantDays } from '@skein/jobs';
import { type Day, addDays, dayOf, daysBetween } from '@skein/orchestrator';

import type { DemoContext, DemoDetail, DemoPart, DemoVerdict } from './part.ts';
import { TENANT, firstRawDay, loadRawEvents } from './raw-events-sample.ts';

const DEAD_LETTERS = 'raw_events_dead_letters';
/** Where a real Kafka is, its consumer writes a little later. */
const ARRIVAL_DEADLINE_MS = 60_000;
const POLL_MS = 250;

export const rawEventsPart: DemoPart = {
  asset: 'reprocess_raw_events',
  async before(context) {
    const days = await compare(context);
    return { raw_events: sum(days, 'raw_events'), events: sum(days, 'events') };
  },
  load: ({ clickhouse, now, scale }) => loadRawEvents(clickhouse, now, scale),
  partitions: ({ now }) => sampleDays(now).map((day) => tenantDays.format({ id: TENANT, day })),
  async launch({ client, now }) {
    const days = sampleDays(now);
    await client.submit({
      job: 'reprocess_raw_events_job',
      cause: 'demo',
      config: {
        tenant_id: TENANT,
        start_date: `${days[0]}T00:00:00Z`,
        end_date: `${days.at(-1)}T23:59:59.999Z`,
        dead_letter_topic: DEAD_LETTERS,
        batch_size: 5_000,
      },
    });
  },
  async verify(context) {
    const deadline = Date.now() + ARRIVAL_DEADLINE_MS;
    for (;;) {
      const verdict = await judge(context);
      if (verdict.verified || Date.now() > deadline) return verdict;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  },
};

async function judge(context: DemoContext): Promise<DemoVerdict> {
  const [days, reasons] = await Promise.all([compare(context), rejections(context)]);
  const details: DemoDetail[] = days.map((day) => ({
    partition: tenantDays.format({ id: TENANT, day: day.day }),
    raw_events: Number(day.raw_events),
    good: Number(day.good),
    events: Number(day.events),
    rejected: Object.fromEntries(
      reasons.filter((one) => one.day === day.day).map(({ reason, n }) => [reason, Number(n)]),
    ),
  }));
  const [raw, good, arrived] = [sum(days, 'raw_events'), sum(days, 'good'), sum(days, 'events')];
  const rejected = reasons.reduce((total, { n }) => total + Number(n), 0);
  const example = reasons[0];
  return {
    verified: raw > 0 && days.every((day) => day.good === day.events) && rejected === raw - good,
    after: {
      raw_events: raw,
      events: arrived,
      rejected,
      ...(example ? { example: `${example.reason}: ${example.example}` } : {}),
    },
    details,
  };
}

interface DayRow {
  readonly day: Day;
  readonly raw_events: string;
  readonly good: string;
  /** Good ones that the final events hold, at the instant of their payload. */
  readonly events: string;
}

/** Independent of the transformer: ClickHouse reads the payloads itself. */
const COMPARE_SQL = `SELECT toString(toDate(timestamp)) AS day, count() AS raw_events, countIf(is_good) AS good,
  countIf(is_good AND (id, instant) IN (
    SELECT id, timestamp FROM usage_events FINAL WHERE tenant_id = {tenant:String})) AS events
FROM (
  SELECT id, timestamp, parseDateTime64BestEffortOrNull(JSONExtractString(payload, 'createdAt'), 3, 'UTC') AS instant,
    isValidJSON(payload) AND instant IS NOT NULL AND JSONType(payload, 'orgId') = 'String'
      AND JSONExtractString(payload, 'orgId') != '' AND JSONHas(payload, 'data', 'modelName') AS is_good
  FROM raw_events FINAL
  WHERE tenant_id = {tenant:String} AND timestamp >= toDateTime64({from:String}, 3, 'UTC') AND timestamp < toDateTime64({to:String}, 3, 'UTC'))
GROUP BY day ORDER BY day`;

function compare({ clickhouse, now }: DemoContext): Promise<DayRow[]> {
  return clickhouse.rows<DayRow>(COMPARE_SQL, { params: paramsOf(now) });
}

interface ReasonRow {
  readonly day: Day;
  readonly reason: string;
  readonly n: string;
  /** The raw event to look at. */
  readonly example: string;
}

function rejections({ clickhouse, now }: DemoContext): Promise<ReasonRow[]> {
  return clickhouse.rows<ReasonRow>(
    `SELECT toString(toDate(timestamp)) AS day, reason, count() AS n, min(raw_event_id) AS example
FROM ${DEAD_LETTERS} FINAL
WHERE tenant_id = {tenant:String} AND timestamp >= toDateTime64({from:String}, 3, 'UTC') AND timestamp < toDateTime64({to:String}, 3, 'UTC')
GROUP BY day, reason ORDER BY n DESC`,
    { params: paramsOf(now) },
  );
}

function sampleDays(now: Date): Day[] {
  return daysBetween(firstRawDay(now), addDays(dayOf(now), -1));
}

function paramsOf(now: Date) {
  return { tenant: TENANT, from: `${firstRawDay(now)} 00:00:00`, to: `${dayOf(now)} 00:00:00` };
}

function sum(days: readonly DayRow[], field: 'raw_events' | 'good' | 'events'): number {
  return days.reduce((total, day) => total + Number(day[field]), 0);
}
