/**
 * The sample of the ducklings: six teams, forty-five days, some 1.5 million events and 50 thousand persons, made inside
 * ClickHouse from hashes of a row's number, so that the same seed gives the same rows. It has what real data have:
 * teams of very different size, merged and deleted persons, events that arrive late, clocks that are wrong by
 * centuries, odd characters, bytes that are no UTF-8, and days without events.
 */

import type { ClickHouse } from '@skein/jobs';
import { type Day, addDays, dayOf } from '@skein/orchestrator';

const SAMPLE_DAYS = 45;
const SEED = 20_240_115;

/** Ids of their own, so that no other part of the demo changes their persons. Shares of all rows, in percent. */
export const SAMPLE_TEAMS: readonly { readonly id: number; readonly share: number }[] = [
  { id: 201, share: 40 },
  { id: 202, share: 25 },
  { id: 203, share: 16 },
  { id: 204, share: 10 },
  { id: 205, share: 6 },
  { id: 206, share: 3 },
];
const EVENTS = 1_500_000;
const PERSONS = 50_000;

export function firstSampleDay(now: Date): Day {
  return addDays(dayOf(now), -SAMPLE_DAYS);
}

/** A pseudo-random number of a row for one purpose. */
const hash = (purpose: string) => `cityHash64({seed:UInt64}, '${purpose}', team, number)`;
const uuid = (of: string) => `reinterpretAsUUID(unhex(hex(sipHash128({seed:UInt64}, ${of}))))`;
// The type is part of what is hashed.
const personId = (number: string) => uuid(`'person', team, toUInt64(${number})`);

/** The last team has no events on some days; every team has some on its first and last day. */
const EVENTS_SQL = `INSERT INTO events (uuid, event, properties, timestamp, team_id, distinct_id, elements_chain, created_at,
  person_id, person_created_at, person_properties, group0_properties, person_mode, historical_migration)
WITH
  {team:UInt32} AS team,
  ${hash('day')} AS day_hash,
  ${hash('person')} % {persons:UInt32} AS person_number,
  if(number < {days:UInt32}, number, day_hash % {days:UInt32}) AS drawn,
  if({gaps:Bool} AND drawn % 9 = 4, drawn + 1, drawn) AS day,
  ${hash('time')} AS time_hash,
  addMicroseconds(addDays(toDateTime64({first_day:String}, 6, 'UTC'), day), time_hash % 86400000000) AS usual,
  multiIf(number % 20011 = 20010, addYears(usual, -66), number % 20011 = 20009, addYears(usual, 174), usual) AS happened
SELECT
  ${uuid("'event', team, number")},
  ['$pageview', '$pageview', '$pageview', '$autocapture', '$identify', 'order placed', 'Prüfung “bestanden”', 'イベント'][1 + ${hash('event')} % 8],
  concat('{"$current_url":"https://shop.example/', toString(${hash('url')} % 500), '","$browser":"', ['Firefox', 'Chrome', 'Safari'][1 + ${hash('browser')} % 3],
    '","note":"', ['', 'naïve café', '𝔘𝔫𝔦𝔠𝔬𝔡𝔢 🦆', 'a \\\\"quoted\\\\" word', 'tab\\\\there', unhex('FFFE')][1 + if(number % 997 < 6, number % 997, 0)], '","n":', toString(number), '}'),
  happened,
  team,
  concat('user-', toString(person_number), if(number % 3 = 0, '-phone', '')),
  if(number % 5 = 0, 'a:nth-child="1"nth-of-type="1"', ''),
  if(number % 50 = 7, addHours(usual, 20 + time_hash % 60), addSeconds(usual, time_hash % 30)),
  ${personId('person_number')},
  addDays(toDateTime64({first_day:String}, 3, 'UTC'), -30 - person_number % 300),
  concat('{"email":"user', toString(person_number), '@example.com"}'),
  if(number % 4 = 0, '{"name":"Ünïted Wïdgets & Söhne"}', ''),
  if(number % 10 = 0, 'propertyless', 'full'),
  number % 1000 = 999
FROM numbers({rows:UInt64})`;

/** Two versions each; some persons are deleted by the second. */
const PERSONS_SQL = `INSERT INTO person (id, created_at, team_id, properties, is_identified, is_deleted, version, _timestamp)
WITH
  {team:UInt32} AS team,
  intDiv(number, 2) AS person_number,
  number % 2 AS version,
  if(person_number < {days:UInt32}, person_number, cityHash64({seed:UInt64}, 'changed', team, person_number) % {days:UInt32}) AS day
SELECT
  ${personId('person_number')},
  addDays(toDateTime64({first_day:String}, 3, 'UTC'), -30 - person_number % 300),
  team,
  concat('{"email":"user', toString(person_number), '@example.com","city":"', ['São Paulo', '東京', 'Zürich', 'l’Aquila'][1 + person_number % 4], '"}'),
  person_number % 3 = 0,
  version = 1 AND person_number % 40 = 39,
  version,
  addSeconds(addDays(toDateTime({first_day:String}, 'UTC'), day), version * 3600 + person_number % 80000)
FROM numbers({persons:UInt32} * 2)`;

/** A second distinct id for each third person; each twentieth has one that was merged into the person before it. */
const MAPPINGS_SQL = `INSERT INTO person_distinct_id2 (team_id, distinct_id, person_id, is_deleted, version, _timestamp)
WITH
  {team:UInt32} AS team,
  number AS person_number,
  toUInt64(if(kind = 3, number - 1, number)) AS owner
SELECT
  team,
  concat('user-', toString(person_number), ['', '-phone', '-old', '-old'][1 + kind]),
  ${personId('owner')},
  0,
  kind = 3,
  toDateTime({first_day:String}, 'UTC')
FROM numbers({persons:UInt32})
ARRAY JOIN [0, 1, 2, 3] AS kind
WHERE kind = 0 OR (kind = 1 AND number % 3 = 0) OR (kind >= 2 AND number % 20 = 5)`;

export async function loadSample(clickhouse: ClickHouse, now: Date, scale: number): Promise<void> {
  for (const { id, share } of SAMPLE_TEAMS) {
    const common = { seed: SEED, team: id, days: SAMPLE_DAYS, first_day: `${firstSampleDay(now)} 00:00:00` };
    const persons = Math.round((PERSONS * scale * share) / 100);
    const [there] = await clickhouse.rows<{ rows: string }>(
      'SELECT count() AS rows FROM person_distinct_id2 WHERE team_id = {team:UInt32}',
      { params: { team: id } },
    );
    // Written last, so what is there is complete.
    if (Number(there?.rows) > 0) continue;
    await clickhouse.command('DELETE FROM events WHERE team_id = {team:UInt32}', { params: { team: id } });
    await clickhouse.command(EVENTS_SQL, {
      params: { ...common, persons, rows: Math.round((EVENTS * scale * share) / 100), gaps: share < 5 },
    });
    await clickhouse.command(PERSONS_SQL, { params: { ...common, persons } });
    await clickhouse.command(MAPPINGS_SQL, { params: { ...common, persons } });
  }
}
