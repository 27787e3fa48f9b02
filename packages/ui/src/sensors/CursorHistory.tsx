import { Button } from '@mantine/core';
import { useState } from 'react';

import { type SensorDetail, listCursorHistory } from '../api/generated/client.ts';
import { usePages } from '../api/use-api.ts';
import { DiffView } from '../editor/DiffView.tsx';
import type { Json } from '../editor/json.ts';
import { Act } from '../parts/Act.tsx';
import { PagedTable } from '../parts/DataTable.tsx';
import { Card } from '../parts/Page.tsx';
import { Empty } from '../parts/States.tsx';
import { Time } from '../parts/Time.tsx';
import { CursorReset } from './CursorReset.tsx';

/** Every change of the cursor, by ticks and by people, and the way back to each. */
export function CursorHistory({ sensor, onRestored }: { sensor: SensorDetail; onRestored: () => void }) {
  const history = usePages(listCursorHistory, { name: sensor.name, limit: 20 });
  const [open, setOpen] = useState<number>();
  const [restoring, setRestoring] = useState<number>();
  return (
    <Card flush title="History">
      <PagedTable
        pages={history}
        none={<Empty title="The cursor was never changed." />}
        keyOf={({ version }) => String(version)}
        detail={(change) =>
          open === change.version && <DiffView before={change.before as Json} after={change.after as Json} />
        }
        columns={[
          { name: 'Version', isEnd: true, cell: (change) => change.version },
          { name: 'When', isNowrap: true, cell: (change) => <Time at={change.at} /> },
          { name: 'By', cell: (change) => change.by },
          { name: 'Reason', cell: (change) => change.reason || <span className="dim">–</span> },
          {
            name: 'Acts',
            isQuiet: true,
            isEnd: true,
            isNowrap: true,
            cell: (change) => (
              <>
                <Button
                  variant="subtle"
                  color="gray"
                  size="compact-xs"
                  aria-expanded={open === change.version}
                  aria-label={`Changes of version ${change.version}`}
                  onClick={() => setOpen(open === change.version ? undefined : change.version)}
                >
                  Changes
                </Button>{' '}
                <Act
                  permission="set_cursor"
                  size="compact-xs"
                  aria-label={`Restore version ${change.version}`}
                  because={change.version === sensor.cursor_version ? 'This is the stored version.' : undefined}
                  onAct={() => setRestoring(change.version)}
                >
                  Restore
                </Act>
              </>
            ),
          },
        ]}
      />
      {restoring !== undefined && (
        <CursorReset sensor={sensor} version={restoring} onClose={() => setRestoring(undefined)} onDone={onRestored} />
      )}
    </Card>
  );
}
