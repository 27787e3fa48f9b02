/** The runs of a query as a file, read page by page. */

import { type Run, listRuns } from '../api/generated/client.ts';
import { csvField } from '../assets/csv.ts';

export type Format = 'csv' | 'json';
/** A browser holds them all before it can save them. */
export const MOST_EXPORTED = 50_000;
const PAGE = 500;

const FIELDS: Readonly<Record<string, (run: Run) => unknown>> = {
  id: ({ id }) => id,
  job: ({ job }) => job,
  status: ({ status }) => status,
  first_partition: (run) => run.first_partition,
  partitions: ({ counts }) => counts.total,
  materialized: ({ counts }) => counts.materialized,
  failed: ({ counts }) => counts.failed,
  skipped: ({ counts }) => counts.skipped,
  cause: ({ cause }) => cause,
  priority: ({ priority }) => priority,
  created_at: (run) => run.created_at,
  started_at: (run) => run.started_at,
  ended_at: (run) => run.ended_at,
  took_ms: (run) => (run.started_at && run.ended_at ? Date.parse(run.ended_at) - Date.parse(run.started_at) : null),
  error_code: ({ error }) => error?.code,
  error_message: ({ error }) => error?.message,
  tags: ({ tags }) => JSON.stringify(tags),
};

/** Pure. */
function toCsv(runs: readonly Run[]): string {
  const lines = runs.map((run) => Object.values(FIELDS).map((of) => csvField(String(of(run) ?? ''))));
  return [Object.keys(FIELDS), ...lines].map((line) => `${line.join(',')}\r\n`).join('');
}

/** @param onRead is told how many are read; gives false to stop */
export async function readRuns(q: string, onRead: (count: number) => boolean): Promise<readonly Run[]> {
  const runs: Run[] = [];
  let after: string | undefined;
  do {
    const page = await listRuns({
      ...{ q, limit: Math.min(PAGE, MOST_EXPORTED - runs.length) },
      ...(after === undefined ? {} : { after }),
    });
    runs.push(...page.items);
    after = page.next ?? undefined;
  } while (onRead(runs.length) && after !== undefined && runs.length < MOST_EXPORTED);
  return runs;
}

export function saveRuns(runs: readonly Run[], format: Format): void {
  const text = format === 'csv' ? toCsv(runs) : JSON.stringify(runs, null, 1);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: format === 'csv' ? 'text/csv' : 'application/json' }));
  link.download = `runs ${new Date().toISOString().slice(0, 10)}.${format}`;
  link.click();
  URL.revokeObjectURL(link.href);
}
