import { ActionIcon, Button, Tooltip, useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { Maximize2, StepForward, ZoomIn, ZoomOut } from 'lucide-react';
import { type KeyboardEvent, type PointerEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react';

import { ProblemNotice } from '../../parts/States.tsx';
import { lookOf } from '../../parts/status.ts';
import { stateOf } from './cell-state.ts';
import { paletteOf } from './cells.ts';
import type { Columns } from './columns.ts';
import { ColourBy, wordsOfValue } from './ColourBy.tsx';
import { type Pictures, type RowTotal, draw } from './draw.ts';
import { columnTotals } from './totals.ts';
import { cellAt, useTiles } from './use-tiles.ts';
import { useValues } from './use-values.ts';
import {
  type Extent,
  type Place,
  type Rectangle,
  type View,
  GUTTER_PX,
  clampView,
  mapHeight,
  placeAt,
  rectangleOf,
  reveal,
  rowHeight,
  stepOf,
  zoomAt,
} from './view.ts';
import './heat-map.css';

export interface HeatMapProps {
  readonly asset: string;
  readonly ids: readonly string[];
  readonly columns: Columns;
  readonly only: ReadonlySet<string>;
  /** Where the window begins; undefined shows the latest columns. */
  readonly initial: { readonly col: number | undefined; readonly zoom: number | undefined };
  readonly onView: (view: { col: number; zoom: number }) => void;
  readonly cursor: Place | undefined;
  readonly selection: Rectangle | undefined;
  readonly onOpen: (place: Place) => void;
  readonly onSelect: (selection: Rectangle | undefined) => void;
  readonly totals: readonly RowTotal[];
  /** The number to colour by; undefined colours by state. */
  readonly by: string | undefined;
  readonly onBy: (by: string | undefined) => void;
}

const DEFAULT_ZOOM = 14;
const ZOOM_STEP = 1.5;
/** A pointer that moved less than this clicked. */
const CLICK_PX = 4;

/** Ids × days as a map of states: pan by wheel, zoom by mod+wheel, select by dragging, everything by the keyboard. */
export function HeatMap(props: HeatMapProps) {
  const { ids, columns, selection, totals } = props;
  const { ref: box, width } = useElementSize();
  const canvas = useRef<HTMLCanvasElement>(null);
  const pictures = useRef<Pictures>(new WeakMap());
  const scheme = useComputedColorScheme('light');
  const extent: Extent = useMemo(() => ({ rows: ids.length, columns: columns.count }), [ids.length, columns.count]);
  const size = useMemo(() => ({ width, height: mapHeight(ids.length) }), [width, ids.length]);
  const [wanted, setWanted] = useState<View>(() => ({
    zoom: props.initial.zoom ?? DEFAULT_ZOOM,
    col: props.initial.col ?? columns.count,
    top: 0,
  }));
  const view = useMemo(() => clampView(wanted, size, extent), [wanted, size, extent]);
  const [at, setAt] = useState<Place | undefined>(props.cursor);
  const [hover, setHover] = useState<{ place: Place; x: number; y: number }>();
  const drag = useRef<{ place: Place; x: number; y: number }>(undefined);
  const { tiles, error } = useTiles(props.asset, ids, view, size, extent);
  const [isAsked, setAsked] = useState(false);
  const colours = useValues(props.asset, props.by, isAsked, ids, view, size, extent);
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

  const { onView } = props;
  const move = useCallback(
    (change: (view: View) => View) =>
      setWanted((before) => clampView(change(clampView(before, size, extent)), size, extent)),
    [size, extent],
  );
  useEffect(() => {
    if (size.width === 0) return;
    const timer = setTimeout(() => onView({ col: Math.round(view.col), zoom: Math.round(view.zoom * 100) / 100 }), 300);
    return () => clearTimeout(timer);
    // Only the window's own movement is told.
  }, [view.col, view.zoom]);

  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const onWheel = (event: WheelEvent) => {
      const isZoom = event.ctrlKey || event.metaKey;
      const sideways = event.shiftKey ? event.deltaY : event.deltaX;
      const canScroll = extent.rows * rowHeight(extent.rows) > size.height;
      if (!isZoom && sideways === 0 && !canScroll) return;
      event.preventDefault();
      if (isZoom) move((before) => zoomAt(before, event.deltaY < 0 ? 1.15 : 1 / 1.15, event.offsetX));
      else
        move((before) => ({
          ...before,
          col: before.col + sideways / before.zoom,
          top: before.top + (event.shiftKey ? 0 : event.deltaY / rowHeight(extent.rows)),
        }));
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [move, extent.rows, size.height]);

  const pointOf = (event: PointerEvent) => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const onPointerDown = (event: PointerEvent) => {
    const { x, y } = pointOf(event);
    const place = placeAt(view, x, y, extent);
    if (!place || event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    drag.current = { place: event.shiftKey && at ? at : place, x, y };
  };
  const onPointerMove = (event: PointerEvent) => {
    const { x, y } = pointOf(event);
    const place = placeAt(view, x, y, extent);
    setHover(place && { place, x, y });
    const from = drag.current;
    if (from && place && Math.hypot(x - from.x, y - from.y) > CLICK_PX) props.onSelect(rectangleOf(from.place, place));
  };
  const onPointerUp = (event: PointerEvent) => {
    const { x, y } = pointOf(event);
    const from = drag.current;
    drag.current = undefined;
    const place = placeAt(view, x, y, extent);
    if (!from || !place) return;
    if (event.shiftKey && at) return props.onSelect(rectangleOf(at, place));
    if (Math.hypot(x - from.x, y - from.y) > CLICK_PX) return;
    setAt(place);
    if (selection) props.onSelect(undefined);
    props.onOpen(place);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = STEPS[event.key];
    const here = at ?? { row: 0, column: extent.columns - 1 };
    if (by) {
      event.preventDefault();
      const isArrow = event.key.startsWith('Arrow');
      const next =
        at || !isArrow
          ? { row: clampTo(here.row + by[0], extent.rows), column: clampTo(here.column + by[1], extent.columns) }
          : here;
      if (event.shiftKey) props.onSelect(grow(selection, here, next));
      setAt(next);
      move((before) => reveal(before, next, size, extent));
    } else if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      props.onOpen(here);
    } else if (event.key === 'Escape') props.onSelect(undefined);
    else if (event.key === '+' || event.key === '=') move((before) => zoomAt(before, ZOOM_STEP, size.width / 2));
    else if (event.key === '-') move((before) => zoomAt(before, 1 / ZOOM_STEP, size.width / 2));
  };

  const wordsOf = (place: Place) => {
    const cell = cellAt(tiles, place.row, place.column);
    const value = colours.values?.cells.get(`${place.row} ${place.column}`);
    const number = value === undefined || !props.by ? '' : `, ${wordsOfValue(props.by, value)}`;
    return `${ids[place.row] ?? ''} ${columns.label(place.column)}: ${cell === undefined ? 'being read' : lookOf(stateOf(cell)).word}${number}`;
  };
  const shown = hover ?? undefined;
  return (
    <div className="heat-map">
      <div className="row heat-map-tools">
        <span className="small dim grow">Drag to select. Shift + wheel pans, ⌘ + wheel zooms, arrows move.</span>
        <ColourBy by={props.by} map={colours} onBy={props.onBy} onAsk={() => setAsked(true)} />
        <Tool label="Zoom in" onClick={() => move((before) => zoomAt(before, ZOOM_STEP, size.width))}>
          <ZoomIn size={16} />
        </Tool>
        <Tool label="Zoom out" onClick={() => move((before) => zoomAt(before, 1 / ZOOM_STEP, size.width))}>
          <ZoomOut size={16} />
        </Tool>
        <Tool
          label="Show every day"
          onClick={() => move(() => ({ col: 0, top: 0, zoom: (size.width - GUTTER_PX) / extent.columns }))}
        >
          <Maximize2 size={16} />
        </Tool>
        <Button
          variant="default"
          size="compact-xs"
          rightSection={<StepForward size={12} />}
          onClick={() =>
            move((before) => ({ ...before, zoom: Math.max(before.zoom, DEFAULT_ZOOM), col: extent.columns }))
          }
        >
          Latest
        </Button>
      </div>
      {error ? <ProblemNotice error={error} /> : null}
      <div ref={box} style={{ position: 'relative', height: size.height }}>
        <canvas
          ref={canvas}
          tabIndex={0}
          role="application"
          aria-roledescription="heat map"
          aria-label={`Map of ${ids.length} rows and ${columns.count} columns. Arrow keys move, Shift with arrows selects, Enter opens. The table tab has the same in rows.`}
          style={{ width: size.width, height: size.height }}
          onPointerDown={onPointerDown}
          onPointerMove={onPointerMove}
          onPointerUp={onPointerUp}
          onPointerLeave={() => setHover(undefined)}
          onKeyDown={onKeyDown}
        />
        {shown && (
          <div
            className="heat-map-tip"
            style={{ left: Math.min(shown.x + 14, Math.max(0, size.width - 250)), top: shown.y + 16 }}
            aria-hidden
          >
            <bdi>{wordsOf(shown.place)}</bdi>
          </div>
        )}
      </div>
      <div className="visually-hidden" aria-live="polite">
        {at ? wordsOf(at) : ''}
      </div>
    </div>
  );
}

const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  PageUp: [-20, 0],
  PageDown: [20, 0],
  Home: [0, -Infinity],
  End: [0, Infinity],
};

const clampTo = (value: number, count: number) => Math.max(0, Math.min(count - 1, value));

/** Keeps the corner that lies away from the cursor. */
function grow(selection: Rectangle | undefined, here: Place, next: Place): Rectangle {
  if (!selection) return rectangleOf(here, next);
  const { from, to } = selection;
  const anchor = {
    row: here.row === from.row ? to.row : from.row,
    column: here.column === from.column ? to.column : from.column,
  };
  return rectangleOf(anchor, next);
}

function Tool({ label, onClick, children }: { label: string; onClick: () => void; children: React.ReactNode }) {
  return (
    <Tooltip label={label}>
      <ActionIcon aria-label={label} onClick={onClick}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
