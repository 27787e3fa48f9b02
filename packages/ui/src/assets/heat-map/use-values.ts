/** Numbers of the cells that are to be seen, to colour by: read for the window when it comes to rest. */

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useDebouncedValue } from '@mantine/hooks';

import { readPartitionValues } from '../../api/generated/client.ts';
import type { Columns } from './columns.ts';
import type { Values } from './scene.ts';
import { type Extent, type Size, type View, seen } from './view.ts';

const REST_MS = 250;
/** As the server takes them. */
const MAX_CELLS = 20_000;

export interface ValueMap {
  readonly values: Values | undefined;
  /** Numbers that the jobs of this window recorded. */
  readonly names: readonly string[];
  readonly isTooWide: boolean;
  readonly error: unknown;
}

export interface Window {
  readonly asset: string;
  readonly ids: readonly string[];
  readonly columns: Columns;
  readonly view: View;
  readonly size: Size;
  readonly extent: Extent;
}

/** @param isAsked read although nothing is coloured: to know the names */
export function useValues(of: string | undefined, isAsked: boolean, window: Window): ValueMap {
  const { asset, ids, columns, size, extent } = window;
  const { firstRow, lastRow, firstColumn, lastColumn } = seen(window.view, size, extent);
  const places = [...Array(extent.pinned).keys()];
  for (let row = firstRow; row <= lastRow; row++) places.push(row);
  const [from, to] = [columns.start(firstColumn), columns.start(lastColumn + 1) - 1];
  const isTooWide = places.length * (to - from + 1) > MAX_CELLS;
  const [asked] = useDebouncedValue(JSON.stringify({ places, from, to }), REST_MS);
  const isReady = size.width > 0 && !isTooWide && places.length > 0;
  const read = (name: string, isOn: boolean) => ({
    queryKey: ['readPartitionValues', asset, name, asked, columns.fold, extent.rows],
    enabled: isOn && isReady,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }: { signal: AbortSignal }) => {
      const at = JSON.parse(asked) as { places: number[]; from: number; to: number };
      const body = { rows: at.places.map((row) => ids[row] ?? ''), from: at.from, to: at.to, of: name };
      const answer = await readPartitionValues({ key: asset, body }, signal);
      return { names: answer.names, values: valuesOf(answer.cells, at.places, columns) };
    },
  });
  const coloured = useQuery(read(of ?? '', of !== undefined));
  const known = useQuery(read('duration_ms', isAsked));
  return {
    values: of !== undefined && !isTooWide ? coloured.data?.values : undefined,
    names: known.data?.names ?? coloured.data?.names ?? [],
    isTooWide: of !== undefined && isTooWide,
    error: coloured.error ?? known.error,
  };
}

/** Where several partitions share a cell, of the largest of them. */
function valuesOf(answered: readonly (readonly number[])[], places: readonly number[], columns: Columns): Values {
  const cells = new Map<string, number>();
  let [min, max] = [Infinity, -Infinity];
  for (const [row = 0, start = 0, value = 0] of answered) {
    const at = `${places[row]} ${columns.holding(start)}`;
    const largest = Math.max(value, cells.get(at) ?? value);
    cells.set(at, largest);
    [min, max] = [Math.min(min, value), Math.max(max, value)];
  }
  return { min, max, cells };
}
