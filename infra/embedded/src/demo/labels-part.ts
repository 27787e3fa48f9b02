/**
 * The conversation labels' part of the demo: two weeks of a customer whose labels have gone stale, relabelled by one
 * backfill while the regular labelling stands aside. Before, after and source are shown side by side: the usecases and
 * Active Days, which is what people saw go wrong.
 */

import { LabelConversationsConfig, type Verification, customerDays, verifyCustomer } from '@skein/jobs';
import { addDays, dayOf, dayStart, daysBetween, type Day } from '@skein/orchestrator';

import { applyClickHouseSchema } from '../schemas.ts';
import { type LabelsSample, loadLabelsSample } from './labels-sample.ts';
import type { DemoContext, DemoPart } from './part.ts';

const CUSTOMER = 'alaska-air';
const DATABASE = 'alaska_air_us_east_1';
const DAYS = 14;
const CONVERSATIONS = 28_000;

export const labelsPart: DemoPart = {
  asset: 'label_conversations',
  async before(context) {
    return facts(await compare(context));
  },
  async load(context) {
    await context.clickhouse.command(`CREATE DATABASE IF NOT EXISTS ${DATABASE}`);
    await applyClickHouseSchema(
      (context.env.SKEIN_CLICKHOUSE_URL ?? '').replace(/\/[^/?]*(\?|$)/, `/${DATABASE}$1`),
      'conversations',
    );
    await loadLabelsSample(context.appDb, context.clickhouse, sampleOf(context));
  },
  partitions: (context) => sampleDays(context).map((day) => customerDays.format({ id: CUSTOMER, day })),
  async launch(context) {
    const partitions = labelsPart.partitions(context);
    await context.client.submit({ job: 'label_conversations_job', partitions, cause: 'demo' });
    // From today on; while the backfill holds the customer its ticks say so.
    await context.startSensor('label_conversations_sensor', {
      customers: { [CUSTOMER]: { labelled_to: dayStart(dayOf(context.now)).toISOString() } },
    });
  },
  async verify(context) {
    const found = await compare(context);
    return { verified: found.passed, after: facts(found), details: await details(context) };
  },
};

function sampleOf({ now, scale }: DemoContext): LabelsSample {
  const conversations = CONVERSATIONS * scale;
  return {
    customer: CUSTOMER,
    database: DATABASE,
    firstDay: addDays(dayOf(now), -DAYS),
    days: DAYS,
    conversations,
    surplus: Math.round(conversations * 0.08),
    duplicates: Math.round(conversations * 0.002),
  };
}

function sampleDays({ now }: DemoContext): Day[] {
  return daysBetween(addDays(dayOf(now), -DAYS), addDays(dayOf(now), -1));
}

/** The eight points over the whole sample: before the run they fail, which is the point. */
async function compare({ appDb, clickhouse, now }: DemoContext): Promise<Verification> {
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const window = { startMs: dayStart(addDays(dayOf(now), -DAYS)).getTime(), endMs: dayStart(dayOf(now)).getTime() };
  const work = {
    db: appDb,
    clickhouse,
    signal: new AbortController().signal,
    log: quiet,
    config: LabelConversationsConfig.parse({}),
    runId: 'demo',
    regular: false,
    phase: <T>(_name: string, step: () => Promise<T>) => step(),
    event() {},
  };
  const [found] = await verifyCustomer(work, CUSTOMER, [window], now);
  if (!found) throw new TypeError(`${CUSTOMER} has no profile`);
  return found;
}

function facts(found: Verification) {
  const chat = found.usecases.find((usecase) => usecase.usecase === 'reservations-chat');
  return {
    rows: found.rows,
    rows_source: found.expected,
    rows_duplicate: found.rows - found.conversations,
    rows_disagreeing: found.damage.missing + found.damage.surplus + found.damage.different + found.damage.duplicate,
    reservations_chat: chat?.after ?? 0,
    reservations_chat_source: chat?.source ?? 0,
    active_days: found.activeDays.after,
    active_days_source: found.activeDays.source,
    usecases: Object.fromEntries(
      found.usecases.map(({ usecase, after, source }) => [usecase, { labels: after, source }]),
    ),
  };
}

async function details(context: DemoContext) {
  const labels = await context.clickhouse.rows<{ day: Day; rows: string }>(
    `SELECT toString(toDate(conversation_end_time)) AS day, count() AS rows FROM ${DATABASE}.conversation_with_labels WHERE customer_id = {customer:String} GROUP BY day`,
    { params: { customer: CUSTOMER } },
  );
  const { rows: source } = await context.appDb.query<{ day: Day; rows: number }>(
    `SELECT to_char(ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, count(*)::int AS rows FROM app.chats WHERE customer_id = $1 GROUP BY 1`,
    [CUSTOMER],
  );
  return sampleDays(context).map((day) => ({
    partition: customerDays.format({ id: CUSTOMER, day }),
    rows_labels: Number(labels.find((row) => row.day === day)?.rows ?? 0),
    rows_source: source.find((row) => row.day === day)?.rows ?? 0,
  }));
}
