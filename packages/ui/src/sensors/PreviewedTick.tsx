import type { PreviewTick } from '../api/generated/client.ts';
import { DiffView } from '../editor/DiffView.tsx';
import type { Json } from '../editor/json.ts';
import { KeyText } from '../parts/KeyText.tsx';

const SHOWN = 20;

/** What one tick of a preview would do: its partitions, its reason, where it would leave the cursor. */
export function PreviewedTick({ tick, number }: { tick: PreviewTick; number: number }) {
  const keys = tick.requests.flatMap((request) => request.partitions);
  return (
    <details className="small" open={number === 1}>
      <summary>
        Tick {number}: {tick.requests.length === 0 ? (tick.skip_reason ?? 'nothing') : `${tick.requests.length} runs`}
      </summary>
      <div className="stack tight" style={{ padding: '4px 0 4px 14px' }}>
        {keys.length > 0 && (
          <div className="row wrap">
            {keys.slice(0, SHOWN).map((key, i) => (
              <KeyText key={`${key}${i}`} of={key} max={28} />
            ))}
            {keys.length > SHOWN && <span className="dim">and {keys.length - SHOWN} more</span>}
          </div>
        )}
        <DiffView before={tick.cursor_before as Json} after={tick.cursor_after as Json} same="The cursor stays." />
      </div>
    </details>
  );
}
