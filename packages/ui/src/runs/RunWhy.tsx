import { Link } from '@tanstack/react-router';

import { explainRun } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { Card } from '../parts/Page.tsx';
import { Read } from '../parts/States.tsx';

/** Why the run is, and why it is not further, in sentences made of what was recorded. */
export function RunWhy({ id }: { id: string }) {
  const why = useApi(explainRun, { id });
  return (
    <Card title="Why">
      <Read of={why}>
        {(value) => (
          <div className="stack">
            <ol style={{ margin: 0, paddingLeft: 20 }} className="stack tight">
              {value.sentences.map((sentence, i) => (
                <li key={i}>{sentence}</li>
              ))}
            </ol>
            <dl className="facts small">
              <dt>Workers alive</dt>
              <dd>{value.workers}</dd>
              {value.pool && (
                <>
                  <dt>Pool</dt>
                  <dd>
                    <Link to="/system" search={{ tab: 'pools' }}>
                      {value.pool.name}
                    </Link>
                    : {value.pool.used} of {value.pool.limit} slots taken
                  </dd>
                </>
              )}
              {value.waits_for_run && (
                <>
                  <dt>Waits for</dt>
                  <dd>
                    <Link to="/runs/$id" params={{ id: value.waits_for_run }}>
                      {value.waits_for_run}
                    </Link>
                  </dd>
                </>
              )}
              {Object.keys(value.units).length > 0 && (
                <>
                  <dt>Units</dt>
                  <dd>
                    {Object.entries(value.units)
                      .map(([state, n]) => `${n} ${state.toLowerCase()}`)
                      .join(', ')}
                  </dd>
                </>
              )}
            </dl>
          </div>
        )}
      </Read>
    </Card>
  );
}
