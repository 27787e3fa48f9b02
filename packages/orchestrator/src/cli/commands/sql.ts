/** `skein sql`: questions to runs, ticks, events and partitions, live and past, in SQL. */

import type { Command } from 'commander';

import type { Json } from '../../definitions/json.ts';
import { leaf } from '../help.ts';
import { wholeNumber } from '../parse-arguments.ts';
import type { RunAction, Session } from '../session.ts';
import { shorten, table } from '../terminal.ts';

interface Flags {
  readonly live: number;
  readonly maxRows: number;
}

const MAX_CELL = 80;

export function registerSql(program: Command, run: RunAction): void {
  leaf(program, 'sql', 'ask runs, run_partitions, ticks, events and partitions, live and past, in SQL (DuckDB)', [
    'skein sql "DESCRIBE runs"',
    '# failures grouped by error code\n  skein sql "SELECT job, error_code, count(*) AS n FROM runs WHERE status = \'FAILURE\' GROUP BY ALL ORDER BY n DESC"',
    '# slowest partitions\n  skein sql "SELECT asset, key, max(duration_ms) AS ms FROM run_partitions GROUP BY ALL ORDER BY ms DESC LIMIT 20"',
    '# runs per day\n  skein sql "SELECT created_at::DATE AS day, status, count(*) AS runs FROM runs GROUP BY ALL ORDER BY day"',
    "# log lines that hold a word\n  skein sql \"SELECT at, run_id, message FROM events WHERE type = 'log' AND message ILIKE '%timeout%' ORDER BY at\"",
    'skein sql --json "FROM ticks WHERE decision = \'failed\'"',
  ])
    .argument('<query>', 'one SELECT')
    .option('--live <n>', 'runs read from the ledger at most, newest first', wholeNumber(0, 1_000_000), 20_000)
    .option('--max-rows <n>', 'rows of the answer at most', wholeNumber(1, 1_000_000), 10_000)
    .action((query: string, flags: Flags) => run((session) => ask(session, query, flags)));
}

async function ask(session: Session, query: string, flags: Flags): Promise<void> {
  const { querySql } = await import('../../history/query.ts');
  const { columns, rows, cut, notes } = await querySql(await session.engine(), query, flags);
  for (const note of notes) session.note(note);
  if (cut) session.note(`Only the first ${rows.length} rows are shown; --max-rows N takes more.`);
  session.print({ columns: [...columns], rows: rows.map((row) => ({ ...row })), cut }, () =>
    table(
      columns,
      rows.map((row) => columns.map((name) => cell(row[name] ?? null))),
    ),
  );
}

function cell(value: Json): string {
  if (value === null) return '';
  return shorten(typeof value === 'string' ? value : JSON.stringify(value), MAX_CELL);
}
