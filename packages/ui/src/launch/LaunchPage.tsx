import { getRouteApi } from '@tanstack/react-router';

import { type AssetDetail, getAsset, listAssets, listJobs } from '../api/generated/client.ts';
import { useAll, useApi } from '../api/use-api.ts';
import { Card, Page } from '../parts/Page.tsx';
import { Empty, Read } from '../parts/States.tsx';
import { Launchpad } from './Launchpad.tsx';
import { Select } from '../parts/fields.ts';

const route = getRouteApi('/launch');

/** Chooses what is launched; the launchpad does the rest. */
export function LaunchPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const assets = useAll(listAssets, {});
  const jobs = useAll(listJobs, {});
  const job = search.job ?? assets.data?.items.find((one) => one.key === search.asset)?.jobs[0];
  const assetKey = search.asset ?? jobs.data?.items.find((one) => one.name === job)?.assets[0];
  const asset = useApi(getAsset, { key: assetKey ?? '' }, { enabled: assetKey !== undefined });
  const choices = jobs.data?.items ?? [];
  return (
    <Page
      title="Launchpad"
      tab={search.partition ? `${search.partition} · launchpad` : 'Launchpad'}
      lead="One run, looked at from every side before it starts."
    >
      <Card>
        <Select
          label="Job"
          placeholder="Which job?"
          searchable
          maw={460}
          data={choices.map(({ name, assets: made }) => ({
            value: name,
            label: made.length === 1 ? `${name} → ${made[0]}` : name,
          }))}
          value={job ?? null}
          onChange={(name) => {
            const chosen = choices.find((one) => one.name === name);
            void navigate({
              search: name === null ? {} : { job: name, ...(chosen?.assets[0] ? { asset: chosen.assets[0] } : {}) },
            });
          }}
        />
      </Card>
      {job === undefined && (
        <Empty title="Choose a job.">
          Or come here from a cell of an asset’s map: its partition is then filled in.
        </Empty>
      )}
      {job !== undefined && assetKey !== undefined && (
        <Read of={asset}>
          {(value: AssetDetail) => (
            <Launchpad key={`${job} ${value.key} ${search.from_run ?? ''}`} job={job} asset={value} />
          )}
        </Read>
      )}
    </Page>
  );
}
