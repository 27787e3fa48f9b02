/**
 * The sample of raw billing events: one tenant, two environments, six days, made inside ClickHouse from hashes of a
 * row's number. It has what a collector stores: payloads without a customer or a model, payloads cut off, instants with
 * an offset, numbers that Go prints scientifically, and versions of the same event that no merge has collapsed.
 */

import type { ClickHouse } from '@skein/jobs';
import { type Day, addDays, dayOf } from '@skein/orchestrator';

export const TENANT = 'acme';
const SAMPLE_DAYS = 6;
const SEED = 20_260_130;
const EVENTS = 60_000;

export function firstRawDay(now: Date): Day {
  return addDays(dayOf(now), -SAMPLE_DAYS);
}

const hash = (purpose: string) => `cityHash64({seed:UInt64}, '${purpose}', number)`;

/**
 * Of 1,000 events: 20 without customer, 30 without a model name, 10 without any data, 8 cut off, 7 with a date that is
 * none, 5 whose customer is a number.
 */
const INSERT_SQL = `INSERT INTO raw_events (id, tenant_id, environment_id, external_customer_id, event_name, source, payload, timestamp, version)
WITH
  number % 1000 AS fate,
  concat('raw-', leftPad(toString(number), 9, '0')) AS event_id,
  if(fate < 20, 'null', concat('customer-', toString(1 + toUInt32(pow(${hash('customer')} % 1000 / 100, 2)))) ) AS customer,
  ['openai', 'anthropic', '11labs', 'Deepgram '][1 + ${hash('provider')} % 4] AS provider,
  ['modeling', 'BEDROCK_LLM', 'synthesizer', 'transcription'][1 + ${hash('method')} % 4] AS method,
  ['gpt-4.1', 'GPT-4o', 'claude-sonnet', 'eleven_turbo_v2_5'][1 + ${hash('model')} % 4] AS model,
  addMilliseconds(toDateTime64({first_day:String}, 3, 'UTC'), ${hash('time')} % ({days:UInt64} * 86400000)) AS at,
  formatDateTime(at, '%Y-%m-%dT%H:%i:%S') AS wall,
  concat(wall, '.', leftPad(toString(toUnixTimestamp64Milli(at) % 1000), 3, '0'), if(number % 11 = 3, '+05:30', 'Z')) AS created,
  multiIf(
    fate BETWEEN 20 AND 49, '{"numCharacters":120}',
    number % 4 = 0, concat('{"channels":2,"durationMS":', toString(1000 + ${hash('duration')} % 2000000), ',"modelName":"', model, '"}'),
    number % 4 = 1, concat('{"modelName":{"value":"', model, '"},"numCharacters":', toString(${hash('characters')} % 5000), '}'),
    concat('{"cachedPromptTokens":', toString(${hash('cached')} % 500), ',"modelName":"', model, '","promptTokens":', toString(500 + ${hash('tokens')} % 4000), '}')) AS data,
  concat('{"byok":', if(number % 7 = 0, 'true', 'false'), ',"createdAt":"', if(fate BETWEEN 70 AND 76, 'yesterday', created), '"',
    if(fate BETWEEN 50 AND 59, '', concat(',"data":', data)), ',"id":"', event_id, '","methodName":"', method, '"',
    multiIf(fate < 20, '', fate BETWEEN 80 AND 84, ',"orgId":42', concat(',"orgId":"', customer, '"')),
    ',"providerName":"', provider, '","referenceCost":0.001994,"targetItemId":"call-', toString(number % 5000), '"}') AS whole
SELECT
  event_id, {tenant:String}, if(number % 10 = 9, 'staging', 'production'), customer, concat(lower(trim(provider)), '-', method),
  concat('call-', toString(number % 5000)),
  if(fate BETWEEN 60 AND 67, substring(whole, 1, length(whole) - 20), whole),
  at, 1
FROM numbers({rows:UInt64})`;

/** Every twentieth event was collected twice; only the newer version has its payload whole. */
const AGAIN_SQL = `INSERT INTO raw_events (id, tenant_id, environment_id, external_customer_id, event_name, source, payload, timestamp, version)
SELECT id, tenant_id, environment_id, external_customer_id, event_name, source, '{}', timestamp, 0
FROM raw_events WHERE tenant_id = {tenant:String} AND version = 1 AND toUInt32(substring(id, 5)) % 20 = 0`;

/** Does nothing when the sample is there. */
export async function loadRawEvents(clickhouse: ClickHouse, now: Date, scale: number): Promise<void> {
  const params = {
    seed: SEED,
    tenant: TENANT,
    first_day: `${firstRawDay(now)} 00:00:00`,
    days: SAMPLE_DAYS,
    rows: EVENTS * scale,
  };
  const [there] = await clickhouse.rows<{ n: string }>(
    `SELECT count() AS n FROM raw_events WHERE tenant_id = {tenant:String} AND timestamp >= toDateTime64({first_day:String}, 3, 'UTC')`,
    { params },
  );
  if (Number(there?.n) >= EVENTS * scale) return;
  await clickhouse.command(INSERT_SQL, { params });
  await clickhouse.command(AGAIN_SQL, { params });
}
