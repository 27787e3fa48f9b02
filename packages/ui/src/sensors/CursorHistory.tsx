import { Button } from '@mantine/core';
import { useState } from 'react';

import { type CursorChange, type SensorDetail, listCursorHistory, restoreCursor } from '../api/generated/client.ts';
import { useAct, usePages } from '../api/use-api.ts';
import { DiffView } from '../editor/DiffView.tsx';
import type { Json } from '../editor/json.ts';
import { Act } from '../parts/Act.tsx';
import { PagedTable } from '../parts/DataTable.tsx';
import { Confirm } from '../parts/Confirm.tsx';
import { Card } from '../parts/Page.tsx';
import { Empty } from '../parts/States.tsx';
import { Time } from '../parts/Time.tsx';

/** Every change of the cursor, by ticks and by people, and the way back to each. */
export function CursorHistory({ sensor }: { sensor: SensorDetail }) {
  const history = usePages(listCursorHistory, { name: sensor.name, limit: 20 });
  const [open, setOpen] = useState<number>();
  const [restoring, setRestoring] = useState<CursorChange>();
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
                  onAct={() => setRestoring(change)}
                >
                  Restore
                </Act>
              </>
            ),
          },
        ]}
      />
      {restoring && <Restore sensor={sensor} change={restoring} onClose={() => setRestoring(undefined)} />}
    </Card>
  );
}

function Restore({ sensor, change, onClose }: { sensor: SensorDetail; change: CursorChange; onClose: () => void }) {
  const restore = useAct(restoreCursor, (cursor) => `Version ${change.version} is back, as version ${cursor.version}.`);
  return (
    <Confirm
      title={`Restore version ${change.version}`}
      verb="Restore"
      reason="required"
      busy={restore.isPending}
      error={restore.error}
      onClose={onClose}
      onConfirm={(reason) =>
        restore.mutate(
          { name: sensor.name, body: { reason, version: change.version, if_version: sensor.cursor_version } },
          { onSuccess: onClose },
        )
      }
    >
      <p>
        The cursor becomes what it was after version {change.version}, as a new version. Run keys begin a new
        generation, so the sensor may ask again for what it asked for since.
      </p>
      <DiffView before={sensor.cursor as Json} after={change.after as Json} same="It is the same as the stored one." />
    </Confirm>
  );
}
