import { formatDuration } from '../../parts/time.ts';
import type { ValueMap } from './use-values.ts';

/** Numbers that the server makes of every asset, and what they are called. */
const NAMED: Readonly<Record<string, string>> = {
  duration_ms: 'duration',
  lag_ms: 'lag behind its window',
  age_ms: 'age of the last run',
  tries: 'attempts',
};

/** What the map is coloured by, and what its faintest and strongest shade stand for. */
export function ColourBy({
  by,
  map,
  onBy,
  onAsk,
}: {
  by: string | undefined;
  map: ValueMap;
  onBy: (by: string | undefined) => void;
  /** Somebody is about to choose. */
  onAsk: () => void;
}) {
  const { values, names, isTooWide, error } = map;
  const others = [...new Set([...names, ...(by && !(by in NAMED) ? [by] : [])])].sort();
  return (
    <span className="row small">
      {values && values.cells.size > 0 && by && (
        <span className="row num" aria-label="Scale">
          {wordsOfValue(by, values.min)} <i className="scale" aria-hidden /> {wordsOfValue(by, values.max)}
        </span>
      )}
      {isTooWide && <span className="dim">zoom in to see numbers</span>}
      {error ? <span className="bad">{(error as Error).message}</span> : null}
      <label className="row">
        <span className="dim">Colour by</span>
        <select
          className="plain-select"
          value={by ?? ''}
          onFocus={onAsk}
          onPointerEnter={onAsk}
          onChange={(event) => onBy(event.currentTarget.value || undefined)}
        >
          <option value="">state</option>
          {Object.entries(NAMED).map(([key, name]) => (
            <option key={key} value={key}>
              {name}
            </option>
          ))}
          {others.map((name) => (
            <option key={name} value={name}>
              {name.replaceAll('_', ' ')}
            </option>
          ))}
        </select>
      </label>
    </span>
  );
}

export function wordsOfValue(by: string, value: number): string {
  if (by === 'tries') return `${value.toLocaleString('en')} ${value === 1 ? 'attempt' : 'attempts'}`;
  return by in NAMED ? formatDuration(value) : `${value.toLocaleString('en')} ${by.replaceAll('_', ' ')}`;
}
