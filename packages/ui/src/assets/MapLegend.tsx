import type { AssetDetail } from '../api/generated/client.ts';
import { lookOf } from '../parts/status.ts';
import { LEGEND } from './heat-map/cell-state.ts';

/** What the colours mean, with counts; a press shows only that. */
export function MapLegend({
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
