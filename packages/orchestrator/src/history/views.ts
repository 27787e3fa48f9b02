/**
 * What `skein sql` shows: five views over what was loaded from the ledger and what lies in Parquet. An id stands in them
 * once, though a crash of the archiver may have left it in the ledger and in a file, or in two files.
 */

import { type HistoryDb, literal } from './duckdb.ts';
import { RUN_COLUMNS } from './run-record.ts';

export const VIEW_NAMES = ['runs', 'run_partitions', 'ticks', 'events', 'partitions'] as const;
export type ViewName = (typeof VIEW_NAMES)[number];

const at = (column: string) => `epoch_ms(${column})`;

/** The day of the file, by which whole files are passed over; null while a run goes on. */
const ENDED_ON = `${at('ended_ms')}::DATE`;

/** Over `all_runs`, whose columns are those of a record, `day` and `live`. */
const VIEWS: Readonly<Record<ViewName, string>> = {
  runs: `SELECT id, day, job, status, cause, ${at('created_ms')} AS created_at, ${at('started_ms')} AS started_at,
    ${at('ended_ms')} AS ended_at, ended_ms - started_ms AS duration_ms, end_reason, error_code, error_message,
    total, materialized, failed, skipped, priority, backfill, run_key, config::JSON AS config, tags::JSON AS tags,
    result::JSON AS result, live FROM all_runs`,
  run_partitions: `SELECT r.id AS run_id, r.job, p.asset, p.key, p.outcome, p.error_code, p.error_message, p.reason,
    p.metadata::JSON AS metadata, r.status AS run_status, ${at('r.started_ms')} AS started_at,
    ${at('r.ended_ms')} AS ended_at, r.ended_ms - r.started_ms AS duration_ms, r.live
    FROM (SELECT id, job, status, started_ms, ended_ms, live, unnest(partitions) AS p FROM all_runs) r`,
  events: `SELECT r.id AS run_id, r.job, e.id, e.type, ${at('e.at_ms')} AS at, e.level, e.message, e.attempt,
    e.fields::JSON AS fields, r.live FROM (SELECT id, job, live, unnest(events) AS e FROM all_runs) r`,
  ticks: `SELECT id, sensor, status, decision, reason, trigger, worker, ${at('started_ms')} AS started_at,
    ${at('ended_ms')} AS ended_at, ended_ms - started_ms AS duration_ms, requested, suppressed, run_ids,
    cursor_before::JSON AS cursor_before, cursor_after::JSON AS cursor_after FROM live_ticks`,
  partitions: `SELECT asset, key, row_id, outcome, activity, last_run, last_status,
    ${at('last_ended_ms')} AS last_ended_at, failures FROM live_partitions`,
};

/** @param root of history; its files are read where they lie, only the columns that a query asks for */
export async function createViews(db: HistoryDb, root: string): Promise<void> {
  const files = `${root}/runs/*/*.parquet`;
  const [found] = await db.rows<{ files: string }>(`SELECT count(*) AS files FROM glob(${literal(files)})`);
  const columns = Object.keys(RUN_COLUMNS).map((name) => `"${name}"`);
  if (Number(found?.files) === 0) {
    await db.run(
      `CREATE VIEW all_runs AS SELECT ${columns.join(', ')}, ${ENDED_ON} AS day, true AS live FROM live_runs`,
    );
  } else {
    const past = `read_parquet(${literal(files)}, union_by_name = true, filename = true, hive_partitioning = true)`;
    // Which copies do not count: of ids that are in the ledger too, and of ids in several files all but one.
    await db.run(`CREATE TABLE superseded AS
      SELECT id, filename FROM ${past} WHERE id IN (SELECT id FROM live_runs)
      UNION SELECT p.id, p.filename FROM ${past} p
        JOIN (SELECT id, min(filename) AS first FROM ${past} GROUP BY id HAVING count(*) > 1) d
        ON d.id = p.id AND d.first <> p.filename`);
    await db.run(`CREATE VIEW all_runs AS
      SELECT ${columns.join(', ')}, ${ENDED_ON} AS day, true AS live FROM live_runs
      UNION ALL SELECT ${columns.join(', ')}, day, false AS live FROM ${past} p
      WHERE NOT EXISTS (SELECT 1 FROM superseded s WHERE s.id = p.id AND s.filename = p.filename)`);
  }
  for (const [name, query] of Object.entries(VIEWS)) await db.run(`CREATE VIEW ${name} AS ${query}`);
}
