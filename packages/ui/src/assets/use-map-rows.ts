/** The rows of a map: the pinned ones first, then as they are sorted, page by page. */

import { useQueries } from '@tanstack/react-query';
import { useMemo } from 'react';

import { type AssetDetail, type PartitionRow, getPartitionCounts, listPartitionRows } from '../api/generated/client.ts';
import { asQuery, usePages } from '../api/use-api.ts';
import type { Unit } from './heat-map/columns.ts';
import type { RowTotal } from './heat-map/scene.ts';

const ROWS_A_PAGE = 500;
/** As far as the server looks back. */
const MAX_LAG = 512;
const LETTERS: Readonly<Record<Unit, string>> = { single: '', hour: 'h', day: 'd', week: 'w', month: 'mo' };

type RowSort = 'name' | 'failed' | 'active' | 'lag';

export interface RowsWanted {
  readonly q: string | undefined;
  readonly sort: RowSort;
  /** Kept at the top, whatever is filtered or sorted. */
  readonly pins: readonly string[];
}

export function useMapRows(asset: AssetDetail, unit: Unit, { q, sort, pins }: RowsWanted) {
  const isSingleRow = asset.partitions.kind === 'time_window';
  const pages = usePages(listPartitionRows, { key: asset.key, sort, limit: ROWS_A_PAGE, ...(q ? { q } : {}) });
  const pinned = useQueries({
    queries: pins.map((row) => asQuery(getPartitionCounts, { key: asset.key, row })),
    combine: (answers) => answers.map(({ data }) => data),
  });
  const rows = useMemo(() => {
    const kept = new Set(pins);
    const listed = pages.data?.pages.flatMap((page) => page.items) ?? [];
    const others = listed.filter(({ id }) => !kept.has(id));
    const lagOf = (row: PartitionRow) => (sort === 'lag' && row.lag !== null ? wordsOfLag(row.lag, unit) : undefined);
    return {
      ids: isSingleRow ? [''] : [...pins, ...others.map(({ id }) => id)],
      totals: isSingleRow
        ? [totalOf(asset.counts)]
        : [
            ...pins.map((id, i) => {
              const row = listed.find((one) => one.id === id);
              return totalOf(pinned[i], row && lagOf(row));
            }),
            ...others.map((row) => totalOf(row.counts, lagOf(row))),
          ],
    };
  }, [pages.data, pinned, pins, isSingleRow, asset.counts, sort, unit]);
  return { ...rows, isSingleRow, pages };
}

function totalOf(counts: AssetDetail['counts'] | undefined, lag?: string): RowTotal {
  return { made: counts?.materialized ?? 0, failed: counts?.failed ?? 0, lag };
}

const wordsOfLag = (lag: number, unit: Unit) => `${lag}${lag >= MAX_LAG ? '+' : ''} ${LETTERS[unit]} behind`;
