import { TextInput, Tooltip } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';

import { type Asset, type PartitionCounts, listAssets, listPartitionRows } from '../api/generated/client.ts';
import { tellProblem, useAct, useAll, useApi } from '../api/use-api.ts';
import { useAllowed } from '../app/access.ts';
import { DataTable } from '../parts/DataTable.tsx';
import { Switch } from '../parts/fields.ts';
import { Card, Page } from '../parts/Page.tsx';
import { Proportion } from '../parts/Proportion.tsx';
import { Empty, Read } from '../parts/States.tsx';
import { type Duckling, changeDuckling, listDucklings } from './api.ts';
import { DucklingDetail } from './DucklingDetail.tsx';

const route = getRouteApi('/ducklings');
const GROUP = 'ducklings';

/** Each team with its own lake, and how far each asset of it is. */
export function DucklingsPage() {
  const { q = '' } = route.useSearch();
  const navigate = route.useNavigate();
  const assets = useAll(listAssets, {});
  return (
    <Page title="Ducklings" lead="Teams with a lake of their own, and how much of it is filled.">
      <TextInput
        data-filter
        aria-label="Filter by team"
        placeholder="Team begins with…  /"
        w={200}
        value={q}
        onChange={(event) =>
          void navigate({ search: event.currentTarget.value ? { q: event.currentTarget.value } : {}, replace: true })
        }
      />
      <Read of={assets}>
        {({ items }) => {
          const own = items.filter((asset) => asset.group === GROUP);
          return own.length > 0 ? (
            <Teams assets={own} q={q} />
          ) : (
            <Empty title="This deployment has no ducklings.">
              Bind the duckling assets in skein.config.ts, then add one with “skein ducklings add”.
            </Empty>
          );
        }}
      </Read>
    </Page>
  );
}

function Teams({ assets, q }: { assets: readonly Asset[]; q: string }) {
  const ducklings = useApi(listDucklings, {});
  const { team } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Card flush>
      <Read of={ducklings}>
        {({ items }) => {
          const shown = items.filter((one) => String(one.team_id).startsWith(q));
          if (shown.length === 0)
            return (
              <Empty title={q ? `No team begins with “${q}”.` : 'There is no duckling yet.'}>
                <code className="mono">skein ducklings add --team-id 201 …</code>
              </Empty>
            );
          return (
            <DataTable
              rows={shown}
              keyOf={(one) => String(one.team_id)}
              detail={(one) => team === String(one.team_id) && <DucklingDetail duckling={one} />}
              columns={[
                { name: 'On', cell: (one) => <OnSwitch duckling={one} /> },
                {
                  name: 'Team',
                  cell: (one) => {
                    const id = String(one.team_id);
                    return (
                      <Link
                        to="/ducklings"
                        search={{ ...(q ? { q } : {}), ...(team === id ? {} : { team: id }) }}
                        resetScroll={false}
                        aria-expanded={team === id}
                        className="strong"
                      >
                        {id}
                      </Link>
                    );
                  },
                },
                ...assets.map((asset) => ({
                  name: asset.key,
                  cell: (one: Duckling) => <OtherFilled asset={asset} id={String(one.team_id)} />,
                })),
                {
                  name: 'Ways on',
                  isQuiet: true,
                  isNowrap: true,
                  className: 'small',
                  cell: (one) => (
                    <Link to="/runs" search={{ q: `job:${assets[0]?.jobs[0] ?? ''} ${one.team_id}_` }}>
                      Runs
                    </Link>
                  ),
                },
              ]}
            />
          );
        }}
      </Read>
      {team !== undefined && ducklings.data && !ducklings.data.items.some((one) => String(one.team_id) === team) && (
        <p className="table-note">
          Team {team} has no duckling.{' '}
          <button type="button" className="chip" onClick={() => void navigate({ search: {} })}>
            Close
          </button>
        </p>
      )}
    </Card>
  );
}

/** A duckling that is off is left out by the sensors; its lake stays. */
function OnSwitch({ duckling }: { duckling: Duckling }) {
  const { allowed, reason } = useAllowed('launch_run');
  const change = useAct(changeDuckling, (now) => `Team ${now.team_id} is ${now.enabled ? 'on' : 'off'}.`);
  const label = duckling.enabled ? 'Sensors fill it.' : 'Sensors leave it out; its lake stays.';
  return (
    <Tooltip label={allowed ? label : reason}>
      <div style={{ display: 'inline-flex' }}>
        <Switch
          aria-label={`Team ${duckling.team_id} is on`}
          checked={duckling.enabled}
          aria-disabled={!allowed}
          disabled={change.isPending}
          onChange={() => {
            if (!allowed) return;
            change.mutate(
              { team_id: duckling.team_id, body: { enabled: !duckling.enabled } },
              { onError: tellProblem },
            );
          }}
        />
      </div>
    </Tooltip>
  );
}

function OtherFilled({ asset, id }: { asset: Asset; id: string }) {
  const rows = useApi(listPartitionRows, { key: asset.key, q: id, limit: 1 });
  const row = rows.data?.items.find((one) => one.id === id);
  return row ? (
    <Filled asset={asset} id={id} counts={row.counts} />
  ) : (
    <span className="dim">{rows.isPending ? '…' : '–'}</span>
  );
}

function Filled({ asset, id, counts }: { asset: Asset; id: string; counts: PartitionCounts }) {
  return (
    <Link to="/assets/$key" params={{ key: asset.key }} search={{ q: id }} style={{ display: 'block', minWidth: 160 }}>
      <Proportion
        of={{
          materialized: counts.materialized,
          failed: counts.failed,
          running: counts.running,
          queued: counts.queued,
        }}
      />
      <span className="small num">
        {counts.materialized.toLocaleString('en')} days
        {counts.failed > 0 && `, ${counts.failed.toLocaleString('en')} failed`}
        {counts.running + counts.queued > 0 && `, ${(counts.running + counts.queued).toLocaleString('en')} at work`}
      </span>
    </Link>
  );
}
