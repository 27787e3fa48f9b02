import { Link } from '@tanstack/react-router';

import { type Backfill, listBackfills } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { Card, Page } from '../parts/Page.tsx';
import { Proportion } from '../parts/Proportion.tsx';
import { Empty, Read } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Duration, Time } from '../parts/Time.tsx';

export function BackfillsPage() {
  const backfills = useApi(listBackfills, { limit: 200 });
  return (
    <Page title="Backfills" lead="Many partitions, run a few at a time; they can be paused, resumed and cancelled.">
      <Card flush>
        <Read of={backfills}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="No backfill yet.">
                <span>
                  Open an <Link to="/assets">asset</Link>, drag a rectangle on its map, and choose Backfill.
                </span>
                <code className="mono">skein backfill JOB --ids 1..50 --from 2026-11-01 --to 2026-11-23 --preview</code>
              </Empty>
            ) : (
              <div className="table-wrap">
                <table className="table">
                  <thead>
                    <tr>
                      <th>State</th>
                      <th>Backfill</th>
                      <th>Selection</th>
                      <th style={{ width: '24%' }}>Progress</th>
                      <th className="end">At once</th>
                      <th>By</th>
                      <th>Created</th>
                      <th className="end">Took</th>
                    </tr>
                  </thead>
                  <tbody>
                    {items.map((one) => (
                      <Row key={one.id} backfill={one} />
                    ))}
                  </tbody>
                </table>
              </div>
            )
          }
        </Read>
      </Card>
    </Page>
  );
}

function Row({ backfill }: { backfill: Backfill }) {
  return (
    <tr>
      <td>
        <Status of={backfill.status} />
      </td>
      <td>
        <Link to="/backfills/$id" params={{ id: backfill.id }} style={{ fontWeight: 600 }}>
          {backfill.job}
        </Link>
        <div className="mono dim small">{backfill.id.slice(-10)}</div>
      </td>
      <td className="small num">
        {backfill.rows_total} rows, {backfill.from_label} … {backfill.to_label}
      </td>
      <td>
        <BackfillProgress of={backfill} />
      </td>
      <td className="end">{backfill.max_active}</td>
      <td className="small">{backfill.by}</td>
      <td className="small nowrap">
        <Time at={backfill.created_at} />
      </td>
      <td className="end nowrap">
        <Duration from={backfill.created_at} to={backfill.ended_at} />
      </td>
    </tr>
  );
}

export function BackfillProgress({ of }: { of: Backfill }) {
  const done = of.succeeded + of.failed + of.canceled + of.passed;
  return (
    <>
      <Proportion
        of={{
          materialized: of.succeeded,
          failed: of.failed,
          CANCELED: of.canceled,
          skipped: of.passed,
          running: of.active,
        }}
        total={of.total}
      />
      <span className="small dim num">
        {done.toLocaleString('en')} of {of.total.toLocaleString('en')}
        {of.passed > 0 && `, ${of.passed.toLocaleString('en')} passed over`}
        {of.failed > 0 && `, ${of.failed.toLocaleString('en')} failed`}
      </span>
    </>
  );
}
