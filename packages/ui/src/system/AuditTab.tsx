import { Button } from '@mantine/core';
import { Undo2 } from 'lucide-react';
import { useState } from 'react';

import { type AuditEntry, listAudit, undoChange } from '../api/generated/client.ts';
import { useAct, usePages } from '../api/use-api.ts';
import { useAllowed } from '../app/access.ts';
import { DiffView } from '../editor/DiffView.tsx';
import type { Json } from '../editor/json.ts';
import { Act } from '../parts/Act.tsx';
import { Confirm } from '../parts/Confirm.tsx';
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
  const [isUndoing, setUndoing] = useState(false);
  const undo = useAct(undoChange, ({ target }) => `Undone: ${target} is as it was.`);
  const diff = (
    <DiffView before={of.before as Json} after={of.after as Json} same="Nothing was recorded of before and after." />
  );
  return (
    <div className="stack tight">
      {diff}
      <div className="row wrap">
        <Act
          permission="undo_change"
          size="compact-xs"
          leftSection={<Undo2 size={12} />}
          because={whyNot(of)}
          onAct={() => setUndoing(true)}
        >
          Undo…
        </Act>
        <span className="small dim">
          from {of.ip}, request {of.request_id}
        </span>
      </div>
      {isUndoing && (
        <Confirm
          title={`Undo a change of ${of.target}`}
          verb="Undo it"
          busy={undo.isPending}
          error={undo.error}
          onClose={() => setUndoing(false)}
          onConfirm={(reason) =>
            undo.mutate({ id: of.id, body: reason === '' ? null : { reason } }, { onSuccess: () => setUndoing(false) })
          }
        >
          <p>
            What it was before comes back, if nobody has changed it since. That is a change of its own, which can be
            undone too.
          </p>
          {diff}
        </Confirm>
      )}
    </div>
  );
}

/** The server knows what has an inverse; this only tells what certainly has none. */
function whyNot({ target, before, after, result }: AuditEntry): string | undefined {
  if (!result.startsWith('2')) return 'It was refused, so it changed nothing.';
  // What was kept anew is undone by removing it, and what was removed by keeping it again.
  if (/^(?:views|presets:)/.test(target)) return undefined;
  if (before === null || after === null) return 'Nothing was recorded that it could go back to.';
  return undefined;
}
