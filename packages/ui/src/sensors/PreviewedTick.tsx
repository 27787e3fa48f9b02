import type { PreviewTick } from '../api/generated/client.ts';
import { DiffView } from '../editor/DiffView.tsx';
import type { Json } from '../editor/json.ts';
import { AndMore } from '../parts/AndMore.tsx';
import { KeyText } from '../parts/KeyText.tsx';
import { RunLinks } from './RunLinks.tsx';

const SHOWN = 20;

/** A run, or an earlier tick of the same preview. */
function By({ what }: { what: string }) {
  return what.startsWith('tick ') ? what : <RunLinks ids={[what]} />;
}

/** What one tick of a preview would do: its partitions, its reason, where it would leave the cursor. */
export function PreviewedTick({ tick, number }: { tick: PreviewTick; number: number }) {
  const keys = tick.requests.flatMap((request) => request.partitions);
  const suppressed = tick.requests.flatMap(({ run_key: key, suppressed_by: by }) => (by === null ? [] : [{ key, by }]));
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
            <AndMore of={keys.length} shown={SHOWN} />
          </div>
        )}
        {suppressed.length > 0 && (
          <ul className="plain">
            {suppressed.slice(0, SHOWN).map(({ key, by }, i) => (
              <li key={`${key ?? ''}${i}`}>
                {key === null ? 'A request' : <KeyText of={key} max={28} />} would be suppressed: <By what={by} /> has
                its key.
              </li>
            ))}
          </ul>
        )}
        <AndMore of={suppressed.length} shown={SHOWN} />
        <DiffView before={tick.cursor_before as Json} after={tick.cursor_after as Json} same="The cursor stays." />
      </div>
    </details>
  );
}
