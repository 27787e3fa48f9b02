import { useState } from 'react';

import { type Backfill, changeBackfill } from '../api/generated/client.ts';
import { conflictOf, etag } from '../api/conflict.ts';
import { tellProblem, useAct } from '../api/use-api.ts';
import { Act } from '../parts/Act.tsx';
import { Conflict } from '../parts/Conflict.tsx';
import { NumberInput } from '../parts/fields.ts';
import { Card } from '../parts/Page.tsx';
import { isLive } from './pace.ts';

type Edited = Pick<Backfill, 'version' | 'max_active' | 'priority'>;

/** How many runs at once and how urgent they are, while it works. */
export function BackfillLimits({ backfill }: { backfill: Backfill }) {
  const change = useAct(
    changeBackfill,
    (now) => `From now on ${now.max_active} runs at once, priority ${now.priority}.`,
  );
  const [edited, setEdited] = useState<Edited>();
  const { version, max_active: most, priority } = edited ?? backfill;
  // What it builds on is what was shown when the first field was touched.
  const edit = (fields: Partial<Edited>) => setEdited({ version, max_active: most, priority, ...fields });
  const theirs = conflictOf<Backfill>(change.error);
  const discard = () => {
    setEdited(undefined);
    change.reset();
  };
  const save = (onto: number) =>
    change.mutate(
      { id: backfill.id, body: { max_active: most, priority }, ifMatch: etag(onto) },
      { onError: (error) => conflictOf(error) ?? tellProblem(error), onSuccess: () => setEdited(undefined) },
    );
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
            onChange={(value) => edit({ max_active: typeof value === 'number' ? value : 1 })}
          />
          <NumberInput
            label="Priority"
            w={90}
            min={-1_000}
            max={1_000}
            value={priority}
            onChange={(value) => edit({ priority: typeof value === 'number' ? value : 0 })}
          />
          <Act
            permission="backfill"
            because={!isLive(backfill.status) ? 'It has ended.' : isSame ? 'These are the limits now.' : undefined}
            loading={change.isPending}
            onAct={() => save(version)}
          >
            Change
          </Act>
        </div>
        {theirs && (
          <Conflict
            fields={[
              { name: 'Runs at once', mine: String(most), theirs: String(theirs.current.max_active) },
              { name: 'Priority', mine: String(priority), theirs: String(theirs.current.priority) },
              { name: 'Status', mine: '–', theirs: theirs.current.status.toLowerCase().replaceAll('_', ' ') },
            ]}
            busy={change.isPending}
            onOverwrite={() => save(theirs.version)}
            onDiscard={discard}
          />
        )}
        <span className="small dim">
          Runs of a higher priority begin first. Those that are requested already keep theirs.
        </span>
      </div>
    </Card>
  );
}
