import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { Maximize2, StepForward, ZoomIn, ZoomOut } from 'lucide-react';
import type { ReactNode } from 'react';

import { Act } from '../../parts/Act.tsx';
import { stateOf } from './cell-state.ts';
import { type Columns, FOLDS, type Fold, canFold } from './columns.ts';
import type { Selection } from './selection.ts';
import { ZOOM_STEP } from './use-map-input.ts';
import { DEFAULT_ZOOM, type MapView } from './use-map-view.ts';
import { type Tile, cellAt } from './use-tiles.ts';
import { type Extent, type Rectangle, type Size, GUTTER_PX, seen, stepOf, zoomAt } from './view.ts';

/** Over the map: what of it is shown, how large, and the selection that it asks for most often. */
export function MapTools({
  mapView: { view, move },
  size,
  extent,
  tiles,
  columns,
  onSelect,
  onFold,
  colourBy,
}: {
  mapView: MapView;
  size: Size;
  extent: Extent;
  tiles: readonly Tile[];
  columns: Columns;
  onSelect: (selection: Selection) => void;
  onFold: (fold: Fold | undefined) => void;
  colourBy: ReactNode;
}) {
  const { firstRow, lastRow, firstColumn, lastColumn } = seen(view, size, extent);
  // A rectangle has no hole: pinned rows belong to it only while nothing is panned away below them.
  const top = firstRow === extent.pinned ? 0 : firstRow;
  const inView = { from: { row: top, column: firstColumn }, to: { row: lastRow, column: lastColumn } };
  return (
    <div className="row wrap heat-map-tools">
      <span className="small dim hint">Drag to select. Shift + wheel pans, ⌘ + wheel zooms, arrows move.</span>
      <Act
        size="compact-xs"
        because={hasFailed(tiles, inView, stepOf(view.zoom)) ? undefined : 'Nothing that is in view has failed.'}
        onAct={() => onSelect({ rectangle: inView, of: ['failed'] })}
      >
        All failed in view
      </Act>
      {canFold(columns.unit) && (
        <label className="row small">
          <span className="dim">A column is a</span>
          <select
            className="plain-select"
            value={columns.fold ?? ''}
            onChange={(event) => onFold(FOLDS.find((fold) => fold === event.currentTarget.value))}
          >
            <option value="">{columns.unit}</option>
            {FOLDS.map((fold) => (
              <option key={fold} value={fold}>
                {fold}
              </option>
            ))}
          </select>
        </label>
      )}
      {colourBy}
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
  );
}

function hasFailed(tiles: readonly Tile[], { from, to }: Rectangle, step: number): boolean {
  for (let row = from.row; row <= to.row; row++)
    for (let column = from.column; column <= to.column; column += step) {
      const cell = cellAt(tiles, row, column);
      if (cell !== undefined && stateOf(cell) === 'failed') return true;
    }
  return false;
}

function Tool({ label, onClick, children }: { label: string; onClick: () => void; children: ReactNode }) {
  return (
    <Tooltip label={label}>
      <ActionIcon aria-label={label} onClick={onClick}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
