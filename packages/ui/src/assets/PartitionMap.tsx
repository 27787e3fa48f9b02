import { TextInput } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';

import { type AssetDetail, listPartitionRows, searchPartitions } from '../api/generated/client.ts';
import { useApi, usePages } from '../api/use-api.ts';
import { More } from '../parts/More.tsx';
import { Card } from '../parts/Page.tsx';
import { Empty, Loading, ProblemNotice } from '../parts/States.tsx';
import { PARTITION_STATUSES, lookOf } from '../parts/status.ts';
import { useStillHere } from '../parts/use-still-here.ts';
import { CellCard } from './CellCard.tsx';
import { LEGEND } from './heat-map/cell-state.ts';
import { columnsOf } from './heat-map/columns.ts';
import { HeatMap } from './heat-map/HeatMap.tsx';
import type { Place, Rectangle } from './heat-map/view.ts';
import { PasteKeys } from './PasteKeys.tsx';
import { SelectionBar } from './SelectionBar.tsx';

const route = getRouteApi('/assets/$key');
const ROWS_A_PAGE = 500;
const SORTS = [
  ['name', 'by name'],
  ['failed', 'failed first'],
  ['active', 'active first'],
] as const;

/** The map of an asset with its rows, its legend, the card of a cell and what can be done with a rectangle. */
export function PartitionMap({ asset }: { asset: AssetDetail }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { q, sort = 'name', only, cell, at } = search;
  const isOpen = cell !== undefined || at !== undefined;
  const isSingleRow = asset.partitions.kind === 'time_window';
  const rows = usePages(listPartitionRows, { key: asset.key, sort, limit: ROWS_A_PAGE, ...(q ? { q } : {}) });
  const ids = useMemo(
    () => (isSingleRow ? [''] : (rows.data?.pages.flatMap((page) => page.items.map((row) => row.id)) ?? [])),
    [isSingleRow, rows.data],
  );
  const totals = useMemo(() => {
    const all = isSingleRow
      ? [asset.counts]
      : (rows.data?.pages.flatMap((page) => page.items.map(({ counts }) => counts)) ?? []);
    return all.map(({ materialized: made, failed }) => ({ made, failed }));
  }, [isSingleRow, rows.data, asset.counts]);
  const columns = useMemo(() => columnsOf(asset.partitions), [asset.partitions]);
  const shown = useMemo(() => new Set(only?.split(',') ?? []), [only]);
  const selection = useMemo(() => selectionOf(search, ids, columns.columnOf), [search, ids, columns]);

  const isStillHere = useStillHere();
  const go = (next: Partial<typeof search>) => {
    if (!isStillHere()) return;
    void navigate({
      to: '/assets/$key',
      params: { key: asset.key },
      search: (before) => clean({ ...before, ...next }),
      replace: true,
      resetScroll: false,
    });
  };
  const onSelect = (rectangle: Rectangle | undefined) =>
    go(
      rectangle === undefined
        ? ({ rows: undefined, from: undefined, to: undefined } as never)
        : {
            rows: JSON.stringify([ids[rectangle.from.row], ids[rectangle.to.row]]),
            from: columns.label(rectangle.from.column),
            to: columns.label(rectangle.to.column),
          },
    );
  const onOpen = (place: Place) =>
    go({ at: `${columns.label(place.column)}|${ids[place.row] ?? ''}`, cell: undefined } as never);

  if (rows.isPending && !isSingleRow) return <Loading />;
  if (rows.error) return <ProblemNotice error={rows.error} onRetry={() => rows.refetch()} />;
  return (
    <div className="stack">
      <div className="row wrap">
        {!isSingleRow && (
          <TextInput
            data-filter
            aria-label={`Filter by ${asset.partitions.row_name ?? 'id'}`}
            placeholder={`${asset.partitions.row_name ?? 'id'} begins with…  /`}
            w={200}
            value={q ?? ''}
            onChange={(event) => go({ q: event.currentTarget.value })}
          />
        )}
        {!isSingleRow &&
          SORTS.map(([key, name]) => (
            <button
              key={key}
              type="button"
              className="chip"
              aria-pressed={sort === key}
              onClick={() => go({ sort: key })}
            >
              {name}
            </button>
          ))}
        <PasteKeys asset={asset} />
        <span className="grow" />
        <Legend asset={asset} only={shown} onOnly={(next) => go({ only: [...next].join(',') })} />
      </div>
      <div className={isOpen ? 'split side' : undefined}>
        <Card flush>
          {ids.length === 0 ? (
            <Empty
              title={q ? `No ${asset.partitions.row_name ?? 'id'} begins with “${q}”.` : 'No partition is known yet.'}
            >
              {!q && 'Launch one, or start a sensor: its id is then registered here.'}
            </Empty>
          ) : (
            <HeatMap
              asset={asset.key}
              ids={ids}
              columns={columns}
              only={shown}
              initial={{ col: search.col, zoom: search.zoom }}
              onView={go}
              cursor={at ? placeOf(at, ids, columns.columnOf) : undefined}
              selection={selection}
              onOpen={onOpen}
              onSelect={onSelect}
              totals={totals}
              by={search.by}
              onBy={(by) => go({ by } as never)}
            />
          )}
          <More of={rows} />
        </Card>
        {cell !== undefined && (
          <CellCard asset={asset} partition={cell} onClose={() => go({ cell: undefined } as never)} />
        )}
        {cell === undefined && at !== undefined && (
          <CellAt asset={asset} at={at} onClose={() => go({ at: undefined } as never)} />
        )}
      </div>
      {selection && (
        <SelectionBar
          asset={asset}
          ids={ids.slice(selection.from.row, selection.to.row + 1)}
          from={columns.label(selection.from.column)}
          to={columns.label(selection.to.column)}
          onClear={() => onSelect(undefined)}
        />
      )}
    </div>
  );
}

function Legend({
  asset,
  only,
  onOnly,
}: {
  asset: AssetDetail;
  only: ReadonlySet<string>;
  onOnly: (next: ReadonlySet<string>) => void;
}) {
  const counts: Readonly<Record<string, number>> = { ...asset.counts, missing: asset.missing };
  return (
    <div className="row wrap" role="group" aria-label="Show only">
      {LEGEND.filter((state) => (counts[state] ?? 0) > 0 || ['materialized', 'failed', 'missing'].includes(state)).map(
        (state) => {
          const { word, icon: Icon, tone } = lookOf(state);
          return (
            <button
              key={state}
              type="button"
              className="chip"
              data-tone={tone}
              aria-pressed={only.has(state)}
              onClick={() => {
                const next = new Set(only);
                if (!next.delete(state)) next.add(state);
                onOnly(next);
              }}
            >
              <span className="swatch" aria-hidden />
              <Icon size={12} aria-hidden />
              {word} <span className="dim num">{(counts[state] ?? 0).toLocaleString('en')}</span>
            </button>
          );
        },
      )}
    </div>
  );
}

/** `at` in the address is a column's label and a row; the server says which key that is. */
function CellAt({ asset, at, onClose }: { asset: AssetDetail; at: string; onClose: () => void }) {
  const { label, row } = parseAt(at);
  const found = useApi(searchPartitions, {
    key: asset.key,
    ...(row === '' ? {} : { row }),
    from: label,
    to: label,
    status: PARTITION_STATUSES,
    limit: 1,
  });
  if (found.error) return <ProblemNotice error={found.error} />;
  if (found.isPending) return <Loading />;
  const key = found.data?.items[0]?.key;
  if (key !== undefined) return <CellCard asset={asset} partition={key} onClose={onClose} />;
  return (
    <Card title="Partition">
      <Empty title="There is no partition here." />
    </Card>
  );
}

/** A label holds no bar; a row may. */
function parseAt(at: string): { readonly label: string; readonly row: string } {
  const bar = at.indexOf('|');
  return bar < 0 ? { label: at, row: '' } : { label: at.slice(0, bar), row: at.slice(bar + 1) };
}

function placeOf(
  at: string,
  ids: readonly string[],
  columnOf: (label: string) => number | undefined,
): Place | undefined {
  const { label, row } = parseAt(at);
  const [index, column] = [ids.indexOf(row), columnOf(label)];
  return index < 0 || column === undefined ? undefined : { row: index, column };
}

interface Selected {
  readonly rows?: string;
  readonly from?: string;
  readonly to?: string;
}

function selectionOf(
  search: Selected,
  ids: readonly string[],
  columnOf: (label: string) => number | undefined,
): Rectangle | undefined {
  if (search.rows === undefined || search.from === undefined || search.to === undefined) return undefined;
  try {
    const [first, last] = (JSON.parse(search.rows) as unknown[]).map((id) => ids.indexOf(String(id)));
    const [from, to] = [columnOf(search.from), columnOf(search.to)];
    if (first === undefined || last === undefined || first < 0 || last < 0 || from === undefined || to === undefined)
      return undefined;
    return { from: { row: first, column: from }, to: { row: last, column: to } };
  } catch {
    return undefined;
  }
}

function clean<T extends object>(search: T): T {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined && value !== '')) as T;
}
