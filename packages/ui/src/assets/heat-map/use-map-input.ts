/** What the pointer and the keyboard do on the map: open, select, move, pin. */

import { type KeyboardEvent, type PointerEvent, useRef, useState } from 'react';

import type { Selection } from './selection.ts';
import type { MapView } from './use-map-view.ts';
import {
  type Extent,
  type HitKind,
  type Place,
  type Rectangle,
  type Size,
  hitAt,
  rectangleOf,
  reveal,
  spanOf,
  zoomAt,
} from './view.ts';

export const ZOOM_STEP = 1.5;
/** A pointer that moved less than this clicked. */
const CLICK_PX = 4;

export interface MapActs {
  readonly onOpen: (place: Place) => void;
  readonly onSelect: (selection: Selection | undefined) => void;
  /** Undefined where rows cannot be pinned. */
  readonly onPin: ((row: number) => void) | undefined;
}

interface Grip {
  readonly kind: HitKind;
  readonly place: Place;
}

export interface Hover {
  readonly place: Place;
  readonly x: number;
  readonly y: number;
}

export function useMapInput(
  { view, move }: MapView,
  size: Size,
  extent: Extent,
  selection: Selection | undefined,
  cursor: Place | undefined,
  { onOpen, onSelect, onPin }: MapActs,
) {
  const [at, setAt] = useState<Place | undefined>(cursor);
  const [hover, setHover] = useState<Hover>();
  const drag = useRef<Grip & { x: number; y: number; isDragged: boolean }>(undefined);
  /** Where a selection began: what a click with Shift extends. */
  const anchor = useRef<Grip>(undefined);
  const select = (rectangle: Rectangle) => onSelect({ rectangle, of: selection?.of ?? [] });

  const under = (event: PointerEvent) => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    return { x, y, hit: hitAt(view, x, y, extent) };
  };
  const anchorOf = (kind: HitKind): Grip | undefined =>
    anchor.current?.kind === kind ? anchor.current : kind === 'cells' && at ? { kind, place: at } : undefined;

  const onPointerDown = (event: PointerEvent) => {
    const { x, y, hit } = under(event);
    if (!hit || event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const grip = (event.shiftKey ? anchorOf(hit.kind) : undefined) ?? hit;
    anchor.current = grip;
    drag.current = { ...grip, x, y, isDragged: false };
  };
  const onPointerMove = (event: PointerEvent) => {
    const { x, y, hit } = under(event);
    setHover(hit?.kind === 'cells' ? { place: hit.place, x, y } : undefined);
    const from = drag.current;
    if (!from || !hit || Math.hypot(x - from.x, y - from.y) <= CLICK_PX) return;
    from.isDragged = true;
    // Drawn over the labels, a selection of cells ends at the last cell before them.
    if (hit.kind === from.kind) select(spanOf(from.kind, from.place, hit.place, extent));
  };
  const onPointerUp = (event: PointerEvent) => {
    const { hit } = under(event);
    const from = drag.current;
    drag.current = undefined;
    if (!from || !hit || from.isDragged || hit.kind !== from.kind) return;
    if (event.shiftKey || hit.kind !== 'cells') return select(spanOf(hit.kind, from.place, hit.place, extent));
    setAt(hit.place);
    if (selection) onSelect(undefined);
    onOpen(hit.place);
  };

  const step = (event: KeyboardEvent, [rows, columns]: readonly [number, number]) => {
    const here = at ?? { row: 0, column: extent.columns - 1 };
    const isArrow = event.key.startsWith('Arrow');
    const next =
      at || !isArrow
        ? { row: clampTo(here.row + rows, extent.rows), column: clampTo(here.column + columns, extent.columns) }
        : here;
    if (event.shiftKey) select(grow(selection?.rectangle, here, next));
    setAt(next);
    move((before) => reveal(before, next, size, extent));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const here = at ?? { row: 0, column: extent.columns - 1 };
    const isMod = event.ctrlKey || event.metaKey;
    const by = STEPS[event.key];
    if (by) step(event, by);
    else if (event.key === ' ' && (event.shiftKey || isMod))
      select(spanOf(event.shiftKey ? 'rows' : 'columns', here, here, extent));
    else if (event.key === 'Enter' || event.key === ' ') onOpen(here);
    else if (event.key === 'Escape') return onSelect(undefined);
    else if (event.key === 'p' && !isMod && onPin) onPin(here.row);
    else if (event.key === '+' || event.key === '=') return move((before) => zoomAt(before, ZOOM_STEP, size.width / 2));
    else if (event.key === '-') return move((before) => zoomAt(before, 1 / ZOOM_STEP, size.width / 2));
    else return;
    event.preventDefault();
  };
  return {
    at,
    hover,
    handlers: { onPointerDown, onPointerMove, onPointerUp, onPointerLeave: () => setHover(undefined), onKeyDown },
  };
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
