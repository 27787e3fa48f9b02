import { Button, SegmentedControl } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { Suspense, lazy } from 'react';

import { listAssets } from '../api/generated/client.ts';
import { useAll } from '../api/use-api.ts';
import { Page } from '../parts/Page.tsx';
import { Empty, Loading, Notice, Read } from '../parts/States.tsx';
import { QueryInput } from '../runs/QueryInput.tsx';
import { parseAssetQuery, suggestAssets } from './asset-query.ts';
import { AssetList } from './AssetList.tsx';
import type { GraphChoice } from './graph/AssetGraph.tsx';

const AssetGraph = lazy(() => import('./graph/AssetGraph.tsx').then((module) => ({ default: module.AssetGraph })));
const route = getRouteApi('/assets');

export function AssetsPage() {
  const { view = 'list', q = '', sel, depth, closed } = route.useSearch();
  const navigate = route.useNavigate();
  const assets = useAll(listAssets, {});
  const go = (next: GraphChoice & { view?: 'list' | 'graph'; q?: string }) => {
    const all = Object.entries({ view, q, sel, depth, closed, ...next }).filter(
      ([, value]) => value !== undefined && value !== '',
    );
    void navigate({ search: Object.fromEntries(all), replace: true });
  };
  return (
    <Page title="Assets" lead="The data that Skein makes, partition by partition.">
      <div className="row wrap">
        <SegmentedControl
          aria-label="View"
          value={view}
          onChange={(value) => go({ view: value as 'list' | 'graph' })}
          data={[
            { value: 'list', label: 'List' },
            { value: 'graph', label: 'Graph' },
          ]}
        />
        <QueryInput
          label="Filter assets"
          placeholder="words, group:lake status:failed +scores+2 and or not   /"
          value={q}
          onChange={(text) => go({ q: text })}
          suggestFor={(word) => suggestAssets(word, assets.data?.items ?? [])}
        />
      </div>
      <Read of={assets}>
        {({ items }) => {
          const query = parseAssetQuery(q, items);
          const shown = items.filter(query.matches);
          if (items.length === 0)
            return <Empty title="No assets are defined.">Add one with defineAsset in skein.config.ts.</Empty>;
          if (shown.length === 0)
            return (
              <Empty title={`The filter hides all ${items.length} assets.`}>
                <Button variant="default" onClick={() => go({ q: '' })}>
                  Clear the filter
                </Button>
              </Empty>
            );
          return (
            <>
              {query.problem !== undefined && <Notice tone="warn">{query.problem}</Notice>}
              {view === 'graph' ? (
                <Suspense fallback={<Loading />}>
                  <AssetGraph assets={shown} choice={{ sel, depth, closed }} onChoose={go} />
                </Suspense>
              ) : (
                <AssetList assets={shown} />
              )}
            </>
          );
        }}
      </Read>
    </Page>
  );
}
