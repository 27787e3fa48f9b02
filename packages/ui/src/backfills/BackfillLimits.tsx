import { useState } from 'react';

import { type Backfill, changeBackfill } from '../api/generated/client.ts';
import { tellProblem, useAct } from '../api/use-api.ts';
import { Act } from '../parts/Act.tsx';
import { NumberInput } from '../parts/fields.ts';
import { Card } from '../parts/Page.tsx';
import { isLive } from './pace.ts';

/** How many runs at once and how urgent they are, while it works. */
export function BackfillLimits({ backfill }: { backfill: Backfill }) {
  const change = useAct(
    changeBackfill,
    (now) => `From now on ${now.max_active} runs at once, priority ${now.priority}.`,
  );
  const [edited, setEdited] = useState<{ readonly most?: number; readonly priority?: number }>({});
  const { most = backfill.max_active, priority = backfill.priority } = edited;
  const isSame = most === backfill.max_active && priority === backfill.priority;
  return (
    <Card title="Limits">
      <div className="stack tight">
        <div className="row" style={{ alignItems: 'flex-end' }}>
          <NumberInput
            label="Runs at once"
            w={100}
            min={1}
            max={10_000}
            value={most}
            onChange={(value) => setEdited({ ...edited, most: typeof value === 'number' ? value : 1 })}
          />
          <NumberInput
            label="Priority"
            w={90}
            min={-1_000}
            max={1_000}
            value={priority}
            onChange={(value) => setEdited({ ...edited, priority: typeof value === 'number' ? value : 0 })}
          />
          <Act
            permission="backfill"
            because={!isLive(backfill.status) ? 'It has ended.' : isSame ? 'These are the limits now.' : undefined}
            loading={change.isPending}
            onAct={() =>
              change.mutate(
                { id: backfill.id, body: { max_active: most, priority } },
                { onError: tellProblem, onSuccess: () => setEdited({}) },
              )
            }
          >
            Change
          </Act>
        </div>
        <span className="small dim">
          Runs of a higher priority begin first. Those that are requested already keep theirs.
        </span>
      </div>
    </Card>
  );
}
