/** Numbers of the cells that are to be seen, to colour by: read for the window when it comes to rest. */

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useDebouncedValue } from '@mantine/hooks';

import { readPartitionValues } from '../../api/generated/client.ts';
import type { Values } from './draw.ts';
import { type Extent, type Size, type View, AXIS_PX, GUTTER_PX, rowHeight } from './view.ts';

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

export function useValues(
  asset: string,
  of: string | undefined,
  /** Read although nothing is coloured: to know the names. */
  isAsked: boolean,
  ids: readonly string[],
  view: View,
  size: Size,
  extent: Extent,
): ValueMap {
  const top = Math.floor(view.top);
  const rows = ids.slice(top, Math.ceil(view.top + (size.height - AXIS_PX) / rowHeight(extent.rows)));
  const from = Math.floor(view.col);
  const to = Math.min(extent.columns - 1, Math.floor(view.col + (size.width - GUTTER_PX) / view.zoom));
  const isTooWide = rows.length * (to - from + 1) > MAX_CELLS;
  const [asked] = useDebouncedValue(JSON.stringify({ rows, from, to, of: of ?? 'duration_ms' }), REST_MS);
  const query = useQuery({
    queryKey: ['readPartitionValues', asset, asked, top],
    enabled: (of !== undefined || isAsked) && size.width > 0 && !isTooWide && rows.length > 0,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) => {
      const body = JSON.parse(asked) as { rows: string[]; from: number; to: number; of: string };
      const answer = await readPartitionValues({ key: asset, body }, signal);
      const numbers = answer.cells.map(([, , value = 0]) => value);
      return {
        names: answer.names,
        values: {
          min: numbers.reduce((least, n) => Math.min(least, n), Infinity),
          max: numbers.reduce((most, n) => Math.max(most, n), -Infinity),
          cells: new Map(answer.cells.map(([row = 0, column, value = 0]) => [`${top + row} ${column}`, value])),
        },
      };
    },
  });
  const isOn = of !== undefined && !isTooWide;
  return {
    values: isOn ? query.data?.values : undefined,
    names: query.data?.names ?? [],
    isTooWide: of !== undefined && isTooWide,
    error: query.error,
  };
}
