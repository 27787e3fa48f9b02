/** The window onto the map and how it is moved: by the wheel here, by keys and buttons through `move`. */

import { type RefObject, useCallback, useEffect, useMemo, useState } from 'react';

import { type Extent, type Size, type View, clampView, rowHeight, zoomAt } from './view.ts';

export const DEFAULT_ZOOM = 14;
const WHEEL_ZOOM = 1.15;
/** Until a window that no longer moves is told. */
const TOLD_AFTER_MS = 300;

type Move = (change: (view: View) => View) => void;

export interface MapView {
  readonly view: View;
  readonly move: Move;
}

export function useMapView(
  canvas: RefObject<HTMLCanvasElement | null>,
  initial: { readonly col: number | undefined; readonly zoom: number | undefined },
  size: Size,
  extent: Extent,
  onView: (view: { col: number; zoom: number }) => void,
): MapView {
  const [wanted, setWanted] = useState<View>(() => ({
    zoom: initial.zoom ?? DEFAULT_ZOOM,
    col: initial.col ?? extent.columns,
    top: 0,
  }));
  const view = useMemo(() => clampView(wanted, size, extent), [wanted, size, extent]);
  const move: Move = useCallback(
    (change) => setWanted((before) => clampView(change(clampView(before, size, extent)), size, extent)),
    [size, extent],
  );

  useEffect(() => {
    if (size.width === 0) return;
    const tell = () => onView({ col: Math.round(view.col), zoom: Math.round(view.zoom * 100) / 100 });
    const timer = setTimeout(tell, TOLD_AFTER_MS);
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
      if (isZoom) move((before) => zoomAt(before, event.deltaY < 0 ? WHEEL_ZOOM : 1 / WHEEL_ZOOM, event.offsetX));
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

  return { view, move };
}
