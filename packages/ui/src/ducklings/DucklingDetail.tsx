import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';

import { useAct, useApi } from '../api/use-api.ts';
import { Act } from '../parts/Act.tsx';
import { formatBytes } from '../parts/bytes.ts';
import { Confirm } from '../parts/Confirm.tsx';
import { Notice, ProblemNotice, Read } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Time } from '../parts/Time.tsx';
import { type Duckling, type Lake, checkDuckling, findOrphans, getDuckling, resetLake } from './api.ts';

/** How one team's lake is, whether Skein may write to it, what nobody refers to, and the reset. */
export function DucklingDetail({ duckling }: { duckling: Duckling }) {
  const team = { team_id: duckling.team_id };
  const lake = useApi(getDuckling, team);
  const check = useMutation({ mutationFn: () => checkDuckling(team) });
  const orphans = useMutation({ mutationFn: () => findOrphans(team) });
  const [isResetting, setResetting] = useState(false);
  return (
    <div className="stack" style={{ padding: '8px 4px' }}>
      <div className="split">
        <Read of={lake} lines={3}>
          {(value) =>
            value.lake ? (
              <LakeTables of={value.lake} />
            ) : (
              <Notice tone="bad">
                The lake cannot be read: {value.problem?.message}{' '}
                <code className="mono dim">{value.problem?.code}</code>
              </Notice>
            )
          }
        </Read>
        <dl className="facts small">
          <dt>Bucket</dt>
          <dd className="mono">
            {duckling.bucket} <span className="dim">{duckling.bucket_region}</span>
          </dd>
          <dt>Catalog</dt>
          <dd className="mono">
            {duckling.db_host}/{duckling.db_name}
          </dd>
          <dt>Role</dt>
          <dd className="mono">{duckling.cross_account_role_arn ?? 'its own account'}</dd>
        </dl>
      </div>
      <div className="row wrap">
        <Act permission="launch_run" loading={check.isPending} onAct={() => check.mutate()}>
          Check permissions
        </Act>
        <Button variant="default" loading={orphans.isPending} onClick={() => orphans.mutate()}>
          Look for orphaned objects
        </Button>
        <Act permission="forget_partitions" onAct={() => setResetting(true)}>
          Reset the lake…
        </Act>
      </div>
      {check.error ? <ProblemNotice error={check.error} /> : null}
      {check.data && (
        <ul className="plain small" role="status">
          {check.data.steps.map((one) => (
            <li key={one.step}>
              <Status
                of={one.outcome === 'ok' ? 'materialized' : one.outcome}
                label={one.outcome === 'ok' ? one.step : `${one.step}: ${one.outcome}`}
                bare
              />{' '}
              <span className="dim">{one.detail}</span>
            </li>
          ))}
        </ul>
      )}
      {orphans.error ? <ProblemNotice error={orphans.error} /> : null}
      {orphans.data && (
        <p className="small" role="status">
          {orphans.data.count === 0
            ? `No object older than ${orphans.data.older_than} lies outside the lake.`
            : `${orphans.data.count.toLocaleString('en')} objects, ${formatBytes(orphans.data.bytes)}, belong to no snapshot. “skein ducklings orphans ${duckling.team_id} --delete” removes them.`}
        </p>
      )}
      {isResetting && <ResetDialog duckling={duckling} onClose={() => setResetting(false)} />}
    </div>
  );
}

function LakeTables({ of }: { of: Lake }) {
  if (of.state === 'new')
    return <p className="dim">The catalog is there, and no lake in it yet: the first run makes it.</p>;
  return (
    <div className="stack tight small">
      {of.tables.length > 0 && (
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Table</th>
              <th scope="col" className="end">
                Rows
              </th>
              <th scope="col" className="end">
                Files
              </th>
              <th scope="col" className="end">
                Size
              </th>
            </tr>
          </thead>
          <tbody>
            {of.tables.map((table) => (
              <tr key={table.name}>
                <td className="mono">{table.name}</td>
                <td className="end">{table.rows.toLocaleString('en')}</td>
                <td className="end">{table.files.toLocaleString('en')}</td>
                <td className="end">{formatBytes(table.bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {of.tables.length === 0 && <span className="dim">No table yet.</span>}
      {of.snapshot && (
        <span className="dim">
          Snapshot {of.snapshot.id}, <Time at={of.snapshot.at} relative />
          {of.snapshot.message && `: ${of.snapshot.message}`}
        </span>
      )}
      {of.replaced.files > 0 && (
        <span className="dim">
          {of.replaced.files.toLocaleString('en')} files of older snapshots, {formatBytes(of.replaced.bytes)}
        </span>
      )}
    </div>
  );
}

function ResetDialog({ duckling, onClose }: { duckling: Duckling; onClose: () => void }) {
  const reset = useAct(resetLake, (done) => `Reset; ${done.partitions_forgotten} partitions are forgotten.`);
  const team = String(duckling.team_id);
  return (
    <Confirm
      title={`Reset the lake of team ${team}`}
      verb="Drop everything and start over"
      dangerous
      reason="none"
      typed={team}
      busy={reset.isPending}
      error={reset.error}
      onClose={onClose}
      onConfirm={() => reset.mutate({ team_id: duckling.team_id, confirm: team }, { onSuccess: onClose })}
    >
      <Notice tone="bad">
        Every table of the lake is dropped, its partitions are forgotten, and its sensors begin again. This cannot be
        undone.
      </Notice>
    </Confirm>
  );
}
