import { Button, SegmentedControl } from '@mantine/core';
import { Link, Navigate, getRouteApi } from '@tanstack/react-router';
import { Download, ListChecks } from 'lucide-react';
import { Suspense, lazy, useState } from 'react';

import { Card, Page } from '../parts/Page.tsx';
import { ColumnChooser, columnsOf } from './ColumnChooser.tsx';
import { USUAL } from './columns.tsx';
import { DefaultView } from './DefaultView.tsx';
import { readDefaultView } from './default-view.ts';
import { QueryInput } from './QueryInput.tsx';
import { RunGroups } from './RunGroups.tsx';
import { type RunList, RunTable } from './RunTable.tsx';
import { Views } from './Views.tsx';

const ExportDialog = lazy(() => import('./ExportDialog.tsx').then((module) => ({ default: module.ExportDialog })));
const route = getRouteApi('/runs');

interface Search {
  readonly q?: string | undefined;
  readonly pick?: string | undefined;
  readonly by?: string | undefined;
  readonly cols?: string | undefined;
}

export function RunsPage() {
  const { q, pick, by, cols, view } = route.useSearch();
  const [own] = useState(readDefaultView);
  const isAsked = [q, pick, by, cols, view].some((one) => one !== undefined);
  // Who comes without a wish sees what they always want to see.
  if (own === undefined || isAsked) return <Runs />;
  return <Navigate to="/runs" search={own as never} replace />;
}

function Runs() {
  const { q = '', pick, by, cols } = route.useSearch();
  const navigate = route.useNavigate();
  const [isExporting, setExporting] = useState(false);
  const picked = pick?.split(',') ?? [];
  const go = (next: Search, replace = true) => {
    const all = Object.entries({ q, pick, by, cols, ...next }).filter(([, value]) => Boolean(value));
    // All runs are a view too: without it the default would come back.
    const found = all.length === 0 ? { view: 'all' } : Object.fromEntries(all);
    void navigate({ search: found as never, replace, resetScroll: false });
  };
  const onTick = (keys: ReadonlySet<string>) =>
    // Two can be compared: the first of three gives way.
    go({ pick: [...keys].slice(-2).join(',') });
  return (
    <Page title="Runs">
      <div className="row wrap">
        <QueryInput value={q} onChange={(next) => go({ q: next })} />
        <span className="grow" />
        {picked.length === 2 && (
          <Button component={Link} to="/compare" search={{ a: picked[0], b: picked[1] } as never} variant="default">
            Compare the two
          </Button>
        )}
        {picked.length === 1 && <span className="dim small">Tick one more to compare.</span>}
        <Button variant="default" leftSection={<Download size={14} />} onClick={() => setExporting(true)}>
          Export…
        </Button>
        <Button
          component={Link}
          to="/runs/act"
          search={(q === '' ? {} : { q }) as never}
          variant="default"
          leftSection={<ListChecks size={14} />}
        >
          Act on all that match…
        </Button>
      </div>
      <div className="row wrap">
        <Views q={q} onOpen={(next) => go({ q: next, pick: '' }, false)} />
        <DefaultView view={{ q, by, cols }} />
        <span className="grow" />
        <div className="row">
          <span className="small dim" id="group-by">
            Group by
          </span>
          <SegmentedControl
            aria-labelledby="group-by"
            value={by ?? ''}
            onChange={(next) => go({ by: next })}
            data={[
              { value: '', label: 'nothing' },
              { value: 'job', label: 'job' },
              { value: 'cause', label: 'cause' },
              { value: 'error', label: 'error' },
            ]}
          />
        </div>
        {by === undefined && (
          <ColumnChooser shown={columnsOf(cols) ?? USUAL} onChange={(next) => go({ cols: next?.join(',') })} />
        )}
      </div>
      <Card flush>
        {by !== undefined ? (
          <RunGroups q={q} by={by} />
        ) : (
          <RunTable
            filter={q === '' ? {} : { q }}
            columns={columnsOf(cols) ?? USUAL}
            ticks={{ keys: new Set(picked), verb: 'Compare', onTick }}
            head={(list) => <Head list={list} isFiltered={q !== ''} />}
            none={<None q={q} onClear={() => go({ q: '' })} />}
          />
        )}
      </Card>
      <Suspense fallback={null}>{isExporting && <ExportDialog q={q} onClose={() => setExporting(false)} />}</Suspense>
    </Page>
  );
}

function None({ q, onClear }: { q: string; onClear: () => void }) {
  if (q !== '')
    return (
      <Button variant="default" onClick={onClear}>
        Clear the filter “{q}”
      </Button>
    );
  return (
    <span>
      Nothing ran yet. Launch something on the <Link to="/launch">launchpad</Link>.
    </span>
  );
}

/** How many there are, and how many came since: those wait, so that no row moves under the pointer. */
function Head({ list: { total, fresh, letIn }, isFiltered }: { list: RunList; isFiltered: boolean }) {
  const words =
    total === undefined || (total === null && !isFiltered)
      ? ''
      : total === null
        ? '“Act on all that match” counts them.'
        : `${total.toLocaleString('en')} ${total === 1 ? 'run matches' : 'runs match'}.`;
  return (
    <div className="runs-head">
      <span className="small dim num">{words}</span>
      <span role="status">
        {fresh > 0 && (
          <button type="button" className="chip fresh num" onClick={letIn}>
            {fresh.toLocaleString('en')} new
          </button>
        )}
      </span>
    </div>
  );
}
