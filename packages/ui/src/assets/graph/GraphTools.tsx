import { ChevronDown, ChevronRight } from 'lucide-react';

import type { GraphChoice } from './AssetGraph.tsx';
import '../heat-map/heat-map.css';

const DEPTHS = [1, 2, 3, 5] as const;

/** Over the graph: which groups are closed, and how far around what is chosen it goes. */
export function GraphTools({
  groups,
  closed,
  choice,
  onChoose,
}: {
  groups: readonly string[];
  closed: ReadonlySet<string>;
  choice: GraphChoice;
  onChoose: (choice: GraphChoice) => void;
}) {
  const close = (next: readonly string[]) => onChoose({ ...choice, closed: JSON.stringify(next) });
  return (
    <div className="row wrap small">
      <span className="dim">Groups</span>
      {groups.map((group) => {
        const isOpen = !closed.has(group);
        const Icon = isOpen ? ChevronDown : ChevronRight;
        return (
          <button
            key={group}
            type="button"
            className="chip"
            aria-expanded={isOpen}
            onClick={() => close(isOpen ? [...closed, group] : [...closed].filter((one) => one !== group))}
          >
            <Icon size={12} aria-hidden />
            {group || 'No group'}
          </button>
        );
      })}
      {groups.length > 2 && (
        <button type="button" className="chip" onClick={() => close(closed.size > 0 ? [] : groups)}>
          {closed.size > 0 ? 'Open all' : 'Close all'}
        </button>
      )}
      <span className="grow" />
      {choice.sel === undefined ? (
        <span className="dim">Choose an asset to see only what is near it.</span>
      ) : (
        <label className="row">
          <span className="dim">Steps around {choice.sel}</span>
          <select
            className="plain-select"
            value={choice.depth ?? ''}
            onChange={(event) => onChoose({ ...choice, depth: Number(event.currentTarget.value) || undefined })}
          >
            <option value="">all of the graph</option>
            {DEPTHS.map((depth) => (
              <option key={depth} value={depth}>
                {depth}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}
