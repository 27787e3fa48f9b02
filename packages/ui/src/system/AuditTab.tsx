import { Button } from '@mantine/core';
import { Fragment, useState } from 'react';

import { listAudit } from '../api/generated/client.ts';
import { usePages } from '../api/use-api.ts';
import { useAllowed } from '../app/access.ts';
import { DiffView } from '../editor/DiffView.tsx';
import type { Json } from '../editor/json.ts';
import { More } from '../parts/More.tsx';
import { Card } from '../parts/Page.tsx';
import { Empty, Notice, Read } from '../parts/States.tsx';
import { Time } from '../parts/Time.tsx';

export function AuditTab() {
  const { allowed, reason } = useAllowed('read_audit');
  return allowed ? <Audit /> : <Notice tone="warn">{reason}</Notice>;
}

/** Who changed what, when, why, from what to what. */
function Audit() {
  const audit = usePages(listAudit, { limit: 50 });
  const [open, setOpen] = useState<string>();
  return (
    <Card flush title="Audit log">
      <Read of={audit}>
        {() =>
          audit.items.length === 0 ? (
            <Empty title="Nobody has changed anything yet." />
          ) : (
            <div className="table-wrap">
              <table className="table">
                <thead>
                  <tr>
                    <th>Time</th>
                    <th>Who</th>
                    <th>Did</th>
                    <th>To</th>
                    <th>Reason</th>
                    <th className="end">Result</th>
                    <th>
                      <span className="visually-hidden">Acts</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {audit.items.map((entry) => (
                    <Fragment key={entry.id}>
                      <tr>
                        <td className="nowrap small">
                          <Time at={entry.at} />
                        </td>
                        <td>
                          {entry.actor} <span className="dim small">{entry.role}</span>
                        </td>
                        <td className="mono small">{entry.action}</td>
                        <td className="mono" style={{ overflowWrap: 'anywhere' }}>
                          <bdi>{entry.target}</bdi>
                        </td>
                        <td>{entry.reason || <span className="dim">–</span>}</td>
                        <td className="end">{entry.result}</td>
                        <td>
                          <Button
                            size="compact-xs"
                            variant="subtle"
                            color="gray"
                            aria-expanded={open === entry.id}
                            aria-label={`Details of ${entry.action} at ${entry.at}`}
                            onClick={() => setOpen(open === entry.id ? undefined : entry.id)}
                          >
                            Details
                          </Button>
                        </td>
                      </tr>
                      {open === entry.id && (
                        <tr>
                          <td colSpan={7} style={{ background: 'var(--raised)' }}>
                            <DiffView
                              before={entry.before as Json}
                              after={entry.after as Json}
                              same="Nothing was recorded of before and after."
                            />
                            <span className="small dim">
                              from {entry.ip}, request {entry.request_id}
                            </span>
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
      <More of={audit} />
    </Card>
  );
}
