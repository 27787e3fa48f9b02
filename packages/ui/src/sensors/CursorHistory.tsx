import { Button } from '@mantine/core';
import { Fragment, useState } from 'react';

import { type CursorChange, type SensorDetail, listCursorHistory, restoreCursor } from '../api/generated/client.ts';
import { useAct, usePages } from '../api/use-api.ts';
import { DiffView } from '../editor/DiffView.tsx';
import type { Json } from '../editor/json.ts';
import { Act } from '../parts/Act.tsx';
import { Confirm } from '../parts/Confirm.tsx';
import { More } from '../parts/More.tsx';
import { Card } from '../parts/Page.tsx';
import { Empty, Read } from '../parts/States.tsx';
import { Time } from '../parts/Time.tsx';

/** Every change of the cursor, by ticks and by people, and the way back to each. */
export function CursorHistory({ sensor }: { sensor: SensorDetail }) {
  const history = usePages(listCursorHistory, { name: sensor.name, limit: 20 });
  const [open, setOpen] = useState<number>();
  const [restoring, setRestoring] = useState<CursorChange>();
  return (
    <Card flush title="History">
      <Read of={history}>
        {() =>
          history.items.length === 0 ? (
            <Empty title="The cursor was never changed." />
          ) : (
            <div className="table-wrap">
              <table className="table">
                <thead>
                  <tr>
                    <th className="end">Version</th>
                    <th>When</th>
                    <th>By</th>
                    <th>Reason</th>
                    <th>
                      <span className="visually-hidden">Acts</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {history.items.map((change) => (
                    <Fragment key={change.version}>
                      <tr>
                        <td className="end">{change.version}</td>
                        <td className="nowrap">
                          <Time at={change.at} />
                        </td>
                        <td>{change.by}</td>
                        <td>{change.reason || <span className="dim">–</span>}</td>
                        <td className="nowrap" style={{ textAlign: 'right' }}>
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
                            because={
                              change.version === sensor.cursor_version ? 'This is the stored version.' : undefined
                            }
                            onAct={() => setRestoring(change)}
                          >
                            Restore
                          </Act>
                        </td>
                      </tr>
                      {open === change.version && (
                        <tr>
                          <td colSpan={5} style={{ background: 'var(--raised)' }}>
                            <DiffView before={change.before as Json} after={change.after as Json} />
                          </td>
                        </tr>
                      )}
                    </Fragment>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Read>
      <More of={history} />
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
