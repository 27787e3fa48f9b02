/**
 * The first day of a team's rows in ClickHouse, or null when there are none. `min()` over no rows is 1970-01-01 and not
 * null, and days of broken clocks (1960, 2200) are no history, so the question is asked as “the first row in a range”.
 */

import type { Day } from '@skein/orchestrator';

import type { ClickHouse } from '../resources/clickhouse.ts';
import type { DatasetName } from './dataset.ts';
import { dayRange } from './partitions.ts';

/** In the order of the table's key, so that only the first granules are read. */
const EVENTS_SQL = `SELECT toString(toDate(timestamp, 'UTC')) AS day FROM events
WHERE team_id = {team_id:Int64} AND timestamp >= {range_start:DateTime64(6, 'UTC')} AND timestamp < {range_end:DateTime64(6, 'UTC')}
ORDER BY team_id, toDate(timestamp) LIMIT 1`;

/** Old versions count too: merging them first would cost much more and can only move the day forward. */
const PERSONS_SQL = `SELECT toString(toDate(min(_timestamp), 'UTC')) AS day FROM person
WHERE team_id = {team_id:Int64} AND _timestamp >= {range_start:DateTime64(6, 'UTC')} AND _timestamp < {range_end:DateTime64(6, 'UTC')}
HAVING count() > 0`;

const SQL: Readonly<Record<DatasetName, string>> = { events: EVENTS_SQL, persons: PERSONS_SQL };

/** Only days from `from` to `to`, both included, are looked at. */
export async function earliestDay(
  clickhouse: ClickHouse,
  dataset: DatasetName,
  teamId: number,
  range: { readonly from: Day; readonly to: Day },
  signal: AbortSignal,
): Promise<Day | null> {
  const params = { team_id: teamId, range_start: dayRange(range.from).from, range_end: dayRange(range.to).to };
  const rows = await clickhouse.rows<{ day: Day }>(SQL[dataset], { params, signal });
  return rows[0]?.day ?? null;
}
