/** The partitions of a selection as a table for a spreadsheet, read page by page. */

import { type Partition, searchPartitions } from '../api/generated/client.ts';
import { csvField } from './csv.ts';
import type { Outcome } from './heat-map/selection.ts';
import { PARTITION_STATUSES } from '../parts/status.ts';

const PAGE = 500;
const HEAD = ['partition', 'row', 'outcome', 'activity', 'last_run', 'last_status', 'ended_at', 'failures'];

/**
 * @param rows none means the asset has but one
 * @param of only what is one of these; none: everything
 */
export async function exportCsv(
  asset: string,
  rows: readonly string[],
  from: string,
  to: string,
  of: readonly Outcome[],
): Promise<void> {
  const parts = [`${HEAD.join(',')}\r\n`];
  for (const row of rows.length === 0 ? [undefined] : rows) {
    let after: string | undefined;
    do {
      const page = await searchPartitions({
        ...{ key: asset, from, to, status: of.length > 0 ? of : PARTITION_STATUSES, limit: PAGE },
        ...(row === undefined ? {} : { row }),
        ...(after === undefined ? {} : { after }),
      });
      parts.push(...page.items.map(csvLine));
      after = page.next ?? undefined;
    } while (after !== undefined);
  }
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(parts, { type: 'text/csv' }));
  link.download = `${asset} ${from} ${to}.csv`;
  link.click();
  URL.revokeObjectURL(link.href);
}

function csvLine({ key, row, outcome, activity, last_run: run }: Partition): string {
  const fields = [key, row, outcome, activity, run?.run_id, run?.status, run?.ended_at, run?.failures];
  return `${fields.map((field) => csvField(String(field ?? ''))).join(',')}\r\n`;
}
