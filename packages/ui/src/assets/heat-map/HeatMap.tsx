import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useEffect, useMemo, useRef, useState } from 'react';

import { ProblemNotice } from '../../parts/States.tsx';
import { lookOf } from '../../parts/status.ts';
import { stateOf } from './cell-state.ts';
import { paletteOf } from './cells.ts';
import { ColourBy, wordsOfValue } from './ColourBy.tsx';
import type { Columns, Fold } from './columns.ts';
import { type Pictures, draw } from './draw.ts';
import { MapTools } from './MapTools.tsx';
import type { RowTotal } from './scene.ts';
import type { Selection } from './selection.ts';
import { columnTotals } from './totals.ts';
import { type MapActs, useMapInput } from './use-map-input.ts';
import { useMapView } from './use-map-view.ts';
import { cellAt, useTiles } from './use-tiles.ts';
import { useValues } from './use-values.ts';
import { type Extent, type Place, mapHeight, stepOf } from './view.ts';
import './heat-map.css';

export interface HeatMapProps extends MapActs {
  readonly asset: string;
  readonly ids: readonly string[];
  /** Of the ids, the first ones that stay at the top. */
  readonly pinned: number;
  readonly columns: Columns;
  readonly only: ReadonlySet<string>;
  /** Where the window begins; undefined shows the latest columns. */
  readonly initial: { readonly col: number | undefined; readonly zoom: number | undefined };
  readonly onView: (view: { col: number; zoom: number }) => void;
  readonly cursor: Place | undefined;
  readonly selection: Selection | undefined;
  readonly totals: readonly RowTotal[];
  /** The number to colour by; undefined colours by state. */
  readonly by: string | undefined;
  readonly onBy: (by: string | undefined) => void;
  readonly onFold: (fold: Fold | undefined) => void;
}

/** Ids × days as a map of states: pan by wheel, zoom by mod+wheel, select by dragging, everything by the keyboard. */
export function HeatMap(props: HeatMapProps) {
  const { ids, columns, selection, totals, pinned } = props;
  const { ref: box, width } = useElementSize();
  const canvas = useRef<HTMLCanvasElement>(null);
  const pictures = useRef<Pictures>(new WeakMap());
  const scheme = useComputedColorScheme('light');
  const extent: Extent = useMemo(
    () => ({ rows: ids.length, columns: columns.count, pinned }),
    [ids.length, columns.count, pinned],
  );
  const size = useMemo(() => ({ width, height: mapHeight(ids.length) }), [width, ids.length]);
  const mapView = useMapView(canvas, props.initial, size, extent, props.onView);
  const { view } = mapView;
  const { tiles, error } = useTiles(props.asset, ids, columns, view, size, extent);
  const [isAsked, setAsked] = useState(false);
  const colours = useValues(props.by, isAsked, { asset: props.asset, ids, columns, view, size, extent });
  const { at, hover, handlers } = useMapInput(mapView, size, extent, selection, props.cursor, props);
  // A frame of panning has the same tiles in a new list: what they hold tells them apart.
  const loaded = tiles
    .map(({ firstRow, firstColumn, step, version }) => [firstRow, firstColumn, step, version])
    .join(' ');
  const columnSums = useMemo(() => columnTotals(tiles), [loaded]);
  const only = useMemo(() => [...props.only].sort().join(' '), [props.only]);
  const palette = useMemo(
    // The colours are read from the theme's style, so the scheme decides them.
    () =>
      scheme
        ? paletteOf(getComputedStyle(document.documentElement), new Set(only.split(' ').filter(Boolean)))
        : undefined,
    [scheme, only],
  );

  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context || !canvas.current || !palette || size.width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.current.width = Math.round(size.width * ratio);
    canvas.current.height = Math.round(size.height * ratio);
    context.scale(ratio, ratio);
    const scene = {
      ...{ view, size, extent, tiles, ids, columns, palette, selection, totals },
      ...{ cursor: at, columnTotals: columnSums, step: stepOf(view.zoom), values: colours.values },
    };
    draw(context, scene, pictures.current);
  }, [view, size, extent, tiles, ids, columns, palette, at, selection, totals, columnSums, colours.values]);

  const wordsOf = (place: Place) => {
    const cell = cellAt(tiles, place.row, place.column);
    const value = colours.values?.cells.get(`${place.row} ${place.column}`);
    const number = value === undefined || !props.by ? '' : `, ${wordsOfValue(props.by, value)}`;
    const state = cell === undefined ? 'being read' : lookOf(stateOf(cell)).word;
    return `${ids[place.row] ?? ''} ${wordsOfColumn(columns, place.column)}: ${columns.fold ? 'at worst ' : ''}${state}${number}`;
  };
  return (
    <div className="heat-map">
      <MapTools
        {...{ mapView, size, extent, tiles, columns }}
        onSelect={props.onSelect}
        onFold={props.onFold}
        colourBy={<ColourBy by={props.by} map={colours} onBy={props.onBy} onAsk={() => setAsked(true)} />}
      />
      {error ? <ProblemNotice error={error} /> : null}
      <div ref={box} style={{ position: 'relative', height: size.height }}>
        <canvas
          ref={canvas}
          tabIndex={0}
          role="application"
          aria-roledescription="heat map"
          aria-label={`Map of ${ids.length} rows and ${columns.count} columns. Arrow keys move, Shift with arrows selects, Shift with Space selects the row, Control with Space the column, Enter opens${props.onPin ? ', P pins the row' : ''}. The table tab has the same in rows.`}
          style={{ width: size.width, height: size.height }}
          {...handlers}
        />
        {hover && (
          <div
            className="heat-map-tip"
            style={{ left: Math.min(hover.x + 14, Math.max(0, size.width - 250)), top: hover.y + 16 }}
            aria-hidden
          >
            <bdi>{wordsOf(hover.place)}</bdi>
          </div>
        )}
      </div>
      <div className="visually-hidden" aria-live="polite">
        {at ? wordsOf(at) : ''}
      </div>
    </div>
  );
}

function wordsOfColumn(columns: Columns, column: number): string {
  const [from, to] = [columns.from(column), columns.to(column)];
  return from === to ? from : `${from} … ${to}`;
}
