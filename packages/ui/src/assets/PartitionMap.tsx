import { TextInput } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { X } from 'lucide-react';
import { useMemo } from 'react';

import type { AssetDetail } from '../api/generated/client.ts';
import { More } from '../parts/More.tsx';
import { Card } from '../parts/Page.tsx';
import { Empty, Loading, ProblemNotice } from '../parts/States.tsx';
import { useStillHere } from '../parts/use-still-here.ts';
import { CellAt } from './CellAt.tsx';
import { CellCard } from './CellCard.tsx';
import { type Fold, columnsOf } from './heat-map/columns.ts';
import { HeatMap } from './heat-map/HeatMap.tsx';
import { type Selection, MAX_PINS, idsOf, placeOf, searchOf, selectionOf, togglePin } from './heat-map/selection.ts';
import type { Place } from './heat-map/view.ts';
import { MapLegend } from './MapLegend.tsx';
import { PasteKeys } from './PasteKeys.tsx';
import { SelectionBar } from './SelectionBar.tsx';
import { useMapRows } from './use-map-rows.ts';

const route = getRouteApi('/assets/$key');
const SORTS = [
  ['name', 'by name'],
  ['failed', 'failed first'],
  ['lag', 'furthest behind first'],
  ['active', 'active first'],
] as const;

/** The map of an asset with its rows, its legend, the card of a cell and what can be done with a rectangle. */
export function PartitionMap({ asset }: { asset: AssetDetail }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { q, sort = 'name', only, cell, at, fold, pin } = search;
  const isOpen = cell !== undefined || at !== undefined;
  const pins = useMemo(() => [...new Set(idsOf(pin))].slice(0, MAX_PINS), [pin]);
  const columns = useMemo(() => columnsOf(asset.partitions, fold), [asset.partitions, fold]);
  const { ids, totals, isSingleRow, pages } = useMapRows(asset, columns.unit, { q, sort, pins });
  const shown = useMemo(() => new Set(only?.split(',') ?? []), [only]);
  const selection = useMemo(() => selectionOf(search, ids, columns), [search, ids, columns]);
  const rowName = asset.partitions.row_name ?? 'id';

  const isStillHere = useStillHere();
  const go = (next: { [K in keyof typeof search]?: (typeof search)[K] | undefined }) => {
    if (!isStillHere()) return;
    void navigate({
      to: '/assets/$key',
      params: { key: asset.key },
      search: (before) => clean({ ...before, ...next }) as typeof before,
      replace: true,
      resetScroll: false,
    });
  };
  const onSelect = (next: Selection | undefined) => go(searchOf(next, ids, columns));
  // A column of a week or a month has no card: what it holds is selected.
  const onOpen = (place: Place) =>
    columns.fold === undefined
      ? go({ at: `${columns.label(place.column)}|${ids[place.row] ?? ''}`, cell: undefined })
      : onSelect({ rectangle: { from: place, to: place }, of: [] });
  const onPin = isSingleRow ? undefined : (row: number) => go({ pin: togglePin(pins, ids[row] ?? '') });
  const onFold = (next: Fold | undefined) => {
    const to = columnsOf(asset.partitions, next);
    const start = columns.start(Math.min(search.col ?? columns.count, columns.count));
    go({ fold: next, col: search.col === undefined ? undefined : to.holding(start) });
  };

  if (pages.isPending && !isSingleRow) return <Loading />;
  if (pages.error) return <ProblemNotice error={pages.error} onRetry={() => pages.refetch()} />;
  return (
    <div className="stack">
      <div className="row wrap">
        {!isSingleRow && (
          <TextInput
            data-filter
            aria-label={`Filter by ${rowName}`}
            placeholder={`${rowName} begins with…  /`}
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
        <MapLegend asset={asset} only={shown} onOnly={(next) => go({ only: [...next].join(',') })} />
      </div>
      <Pins of={isSingleRow ? [] : pins} onUnpin={(id) => go({ pin: togglePin(pins, id) })} />
      <div className={isOpen ? 'split side' : undefined}>
        <Card flush>
          {ids.length === 0 ? (
            <Empty title={q ? `No ${rowName} begins with “${q}”.` : 'No partition is known yet.'}>
              {!q && 'Launch one, or start a sensor: its id is then registered here.'}
            </Empty>
          ) : (
            <HeatMap
              key={fold ?? ''}
              asset={asset.key}
              ids={ids}
              pinned={isSingleRow ? 0 : pins.length}
              columns={columns}
              only={shown}
              initial={{ col: search.col, zoom: search.zoom }}
              onView={go}
              cursor={at ? placeOf(at, ids, columns) : undefined}
              selection={selection}
              onOpen={onOpen}
              onSelect={onSelect}
              onPin={onPin}
              totals={totals}
              by={search.by}
              onBy={(by) => go({ by })}
              onFold={onFold}
            />
          )}
          <More of={pages} />
        </Card>
        {cell !== undefined && <CellCard asset={asset} partition={cell} onClose={() => go({ cell: undefined })} />}
        {cell === undefined && at !== undefined && (
          <CellAt asset={asset} at={at} onClose={() => go({ at: undefined })} />
        )}
      </div>
      {selection && (
        <SelectionBar
          asset={asset}
          ids={ids.slice(selection.rectangle.from.row, selection.rectangle.to.row + 1)}
          from={columns.from(selection.rectangle.from.column)}
          to={columns.to(selection.rectangle.to.column)}
          of={selection.of}
          onOf={(of) => onSelect({ ...selection, of })}
          onPin={
            isSingleRow
              ? undefined
              : () => {
                  const { from, to } = selection.rectangle;
                  const rows = ids.slice(from.row, to.row + 1).filter((id) => !pins.includes(id));
                  go({ pin: JSON.stringify([...pins, ...rows].slice(-MAX_PINS)) });
                }
          }
          onClear={() => onSelect(undefined)}
        />
      )}
    </div>
  );
}

/** Rows that stay at the top, each with the way to let it go. */
function Pins({ of, onUnpin }: { of: readonly string[]; onUnpin: (id: string) => void }) {
  if (of.length === 0) return null;
  return (
    <div className="row wrap small" role="group" aria-label="Pinned rows">
      <span className="dim">Pinned</span>
      {of.map((id) => (
        <button key={id} type="button" className="chip" aria-label={`Unpin ${id}`} onClick={() => onUnpin(id)}>
          <bdi className="clip" style={{ maxWidth: 160 }}>
            {id}
          </bdi>
          <X size={12} aria-hidden />
        </button>
      ))}
    </div>
  );
}

function clean<T extends object>(search: T): T {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined && value !== '')) as T;
}
