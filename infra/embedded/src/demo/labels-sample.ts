/**
 * A customer whose labels have gone stale, as in the incident that the job comes from: conversations were labelled
 * while open and re-assigned or reclassified afterwards, some have two rows, and some should have none. Made of numbers
 * alone, set-based on both servers, so it is the same every time and 1.5 million conversations take seconds.
 */

import type { ClickHouse } from '@skein/jobs';
import type pg from 'pg';

export interface LabelsSample {
  readonly customer: string;
  readonly database: string;
  /** `YYYY-MM-DD`; the days before `days` later are filled. */
  readonly firstDay: string;
  readonly days: number;
  /** Conversations of the source, all eligible. */
  readonly conversations: number;
  /** Label rows of conversations that the source does not have. */
  readonly surplus: number;
  /** Conversations that have a second, older label row. */
  readonly duplicates: number;
}

const AGENTS = 120;
const USECASES = ['reservations-chat', 'reservations', 'customer-care', 'cargo', 'central-baggage', 'chat'] as const;
/** No conversation ends later than this after it began. */
const LONGEST_SECONDS = 3_900;

/** Spreads neighbouring numbers; the same in both dialects. */
const SPREAD = (i: string) => `(${i} * 2654435761) % 4294967296`;

/** Does nothing when the customer is there. */
export async function loadLabelsSample(appDb: pg.Pool, clickhouse: ClickHouse, sample: LabelsSample): Promise<void> {
  const { rowCount } = await appDb.query('SELECT 1 FROM app.profiles WHERE customer_id = $1', [sample.customer]);
  if (rowCount !== 0) return;
  await loadSource(appDb, sample);
  await loadStaleLabels(clickhouse, sample);
  await appDb.query('INSERT INTO app.profiles (customer_id, profile_id, clickhouse_database) VALUES ($1, $2, $3)', [
    sample.customer,
    'chat',
    sample.database,
  ]);
}

async function loadSource(appDb: pg.Pool, { customer, firstDay, days, conversations }: LabelsSample): Promise<void> {
  const step = (days * 86_400 - LONGEST_SECONDS) / conversations;
  await appDb.query('DELETE FROM app.chats WHERE customer_id = $1', [customer]);
  await appDb.query('DELETE FROM app.agent_online WHERE customer_id = $1', [customer]);
  await appDb.query(
    `INSERT INTO app.chats (customer_id, profile_id, conversation_id, agent_user_id, usecase_id, source, created_at, ended_at, updated_at)
     SELECT $1::text, 'chat', md5(i::text), 'agent-' || h % ${AGENTS}, ($2::text[])[1 + (h / ${AGENTS}) % ${USECASES.length}], CASE WHEN h % 9 = 0 THEN 8 ELSE 0 END,
            start, start + (300 + h % 3600) * interval '1 s', start
     FROM (SELECT i, ${SPREAD('i::bigint')} AS h, ($3::timestamptz + floor(i * $4::float8) * interval '1 s') AS start FROM generate_series(0, $5::int - 1) AS i) numbers`,
    [customer, USECASES, `${firstDay}T00:00:00Z`, step, conversations],
  );
  await appDb.query(
    `INSERT INTO app.agent_online SELECT $1::text, 'agent-' || a, d + interval '8 h', d + interval '20 h'
     FROM generate_series(0, ${AGENTS - 1}) a, generate_series($2::timestamptz, $2::timestamptz + ($3::int - 1) * interval '1 day', interval '1 day') d`,
    [customer, `${firstDay}T00:00:00Z`, days],
  );
  await appDb.query(
    `INSERT INTO app.agents SELECT $1::text, 'agent-' || a FROM generate_series(0, ${AGENTS - 1}) a ON CONFLICT DO NOTHING`,
    [customer],
  );
  await appDb.query('ANALYZE app.chats, app.agent_online, app.agents');
}

/** One conversation in fifteen has the agent and the usecase that it had while it was open. */
async function loadStaleLabels(clickhouse: ClickHouse, sample: LabelsSample): Promise<void> {
  const step = (sample.days * 86_400 - LONGEST_SECONDS) / sample.conversations;
  const table = `\`${sample.database}\`.conversation_with_labels`;
  const params = {
    customer: sample.customer,
    first: `${sample.firstDay} 00:00:00`,
    step,
    rows: sample.conversations + sample.surplus,
    source: sample.conversations,
    usecases: [...USECASES],
    duplicates: sample.duplicates,
  };
  await clickhouse.command(`TRUNCATE TABLE ${table}`);
  const rows = (stale: string, count: string, labelledAt: string) => `
    INSERT INTO ${table} (customer_id, profile_id, conversation_id, agent_user_id, usecase_id, conversation_start_time, conversation_end_time, has_agent_assistance, conversation_source, update_time)
    SELECT {customer:String}, 'chat', lower(hex(MD5(toString(number)))),
      concat('agent-', toString((h + if(stale, 1, 0)) % ${AGENTS})),
      if(stale, 'reservations-chat', {usecases:Array(String)}[1 + intDiv(h, ${AGENTS}) % ${USECASES.length}]),
      start, start + if(stale, 60, 300 + h % 3600), toHour(start) >= 8 AND toHour(start) < 20, if(h % 9 = 0, 8, 0), ${labelledAt}
    FROM (
      SELECT number, ${SPREAD('number')} AS h, ${stale} AS stale,
        toDateTime64({first:String}, 3, 'UTC') + toIntervalSecond(toUInt32(floor((number % {source:UInt64}) * {step:Float64}))) AS start
      FROM numbers({from:UInt64}, ${count})
    )`;
  const at = `toDateTime64(start, 6, 'UTC')`;
  await clickhouse.command(rows('number % 15 = 0', '{rows:UInt64}', `${at} + 7200`), {
    params: { ...params, from: 0 },
  });
  // Beside their right rows: numbers that are no multiple of fifteen.
  await clickhouse.command(
    rows('1', '{duplicates:UInt64}', `${at} + 60`).replace('number,', 'number * 15 + 1 AS number,'),
    { params: { ...params, from: 0 } },
  );
}
