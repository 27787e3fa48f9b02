import { Button } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';
import { ListChecks } from 'lucide-react';
import { Suspense, lazy, useState } from 'react';

import { Card, Page } from '../parts/Page.tsx';
import { QueryInput } from './QueryInput.tsx';
import { RunTable } from './RunTable.tsx';
import { Views } from './Views.tsx';

const BulkDialog = lazy(() => import('./BulkDialog.tsx').then((module) => ({ default: module.BulkDialog })));
const route = getRouteApi('/runs');

export function RunsPage() {
  const { q = '', pick } = route.useSearch();
  const navigate = route.useNavigate();
  const [isBulk, setBulk] = useState(false);
  const picked = pick?.split(',') ?? [];
  const search = (next: { q?: string; pick?: string }) => ({
    ...(next.q ? { q: next.q } : {}),
    ...(next.pick ? { pick: next.pick } : {}),
  });
  const onTick = (keys: ReadonlySet<string>) =>
    // Two can be compared: the first of three gives way.
    void navigate({ search: search({ q, pick: [...keys].slice(-2).join(',') }), replace: true, resetScroll: false });
  return (
    <Page title="Runs">
      <div className="row wrap">
        <QueryInput value={q} onChange={(next) => void navigate({ search: search({ q: next }), replace: true })} />
        <span className="grow" />
        {picked.length === 2 && (
          <Button component={Link} to="/compare" search={{ a: picked[0], b: picked[1] } as never} variant="default">
            Compare the two
          </Button>
        )}
        {picked.length === 1 && <span className="dim small">Tick one more to compare.</span>}
        <Button variant="default" leftSection={<ListChecks size={14} />} onClick={() => setBulk(true)}>
          Act on all that match…
        </Button>
      </div>
      <Views q={q} onOpen={(next) => void navigate({ search: search({ q: next }) })} />
      <Card flush>
        <RunTable
          filter={q === '' ? {} : { q }}
          ticks={{ keys: new Set(picked), verb: 'Compare', onTick }}
          onTotal={(total) => <Total of={total} isFiltered={q !== ''} />}
          none={
            q === '' ? (
              <span>
                Nothing ran yet. Launch something on the <Link to="/launch">launchpad</Link>.
              </span>
            ) : (
              <Button variant="default" onClick={() => void navigate({ search: {} })}>
                Clear the filter “{q}”
              </Button>
            )
          }
        />
      </Card>
      <Suspense fallback={null}>{isBulk && <BulkDialog q={q} onClose={() => setBulk(false)} />}</Suspense>
    </Page>
  );
}

function Total({ of, isFiltered }: { of: number | null | undefined; isFiltered: boolean }) {
  if (of === undefined || (of === null && !isFiltered)) return null;
  return (
    <p className="table-note num">
      {of === null
        ? '“Act on all that match” counts them.'
        : `${of.toLocaleString('en')} ${of === 1 ? 'run matches' : 'runs match'}.`}
    </p>
  );
}
