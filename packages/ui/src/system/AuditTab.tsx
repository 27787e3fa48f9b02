import { Button } from '@mantine/core';
import { useState } from 'react';

import { type AuditEntry, listAudit } from '../api/generated/client.ts';
import { usePages } from '../api/use-api.ts';
import { useAllowed } from '../app/access.ts';
import { DiffView } from '../editor/DiffView.tsx';
import type { Json } from '../editor/json.ts';
import { PagedTable } from '../parts/DataTable.tsx';
import { Card } from '../parts/Page.tsx';
import { Empty, Notice } from '../parts/States.tsx';
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
      <PagedTable
        pages={audit}
        none={<Empty title="Nobody has changed anything yet." />}
        keyOf={({ id }) => id}
        detail={(entry) => open === entry.id && <Detail of={entry} />}
        columns={[
          { name: 'Time', isNowrap: true, className: 'small', cell: (entry) => <Time at={entry.at} /> },
          {
            name: 'Who',
            cell: (entry) => (
              <>
                {entry.actor} <span className="dim small">{entry.role}</span>
              </>
            ),
          },
          { name: 'Did', className: 'mono', cell: (entry) => entry.action.replace('/api/v1', '') },
          { name: 'To', className: 'mono anywhere', cell: (entry) => <bdi>{entry.target}</bdi> },
          { name: 'Reason', cell: (entry) => entry.reason || <span className="dim">–</span> },
          { name: 'Result', isEnd: true, cell: (entry) => entry.result },
          {
            name: 'Acts',
            isQuiet: true,
            cell: (entry) => (
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
            ),
          },
        ]}
      />
    </Card>
  );
}

function Detail({ of }: { of: AuditEntry }) {
  return (
    <>
      <DiffView before={of.before as Json} after={of.after as Json} same="Nothing was recorded of before and after." />
      <span className="small dim">
        from {of.ip}, request {of.request_id}
      </span>
    </>
  );
}
