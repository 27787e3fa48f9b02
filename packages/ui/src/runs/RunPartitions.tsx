import { Button } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';

import { type RunWithPartitions, listRunPartitions } from '../api/generated/client.ts';
import { usePages } from '../api/use-api.ts';
import { PagedTable } from '../parts/DataTable.tsx';
import { KeyText } from '../parts/KeyText.tsx';
import { Card } from '../parts/Page.tsx';
import { Empty } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Metadata } from '../parts/Metadata.tsx';

import '../editor/editor.css';
import { type SampleDiff, sampleOf } from './result.ts';

const route = getRouteApi('/runs/$id');
const OUTCOMES = ['materialized', 'failed', 'skipped', 'open'] as const;

/** What became of each partition, with what the job recorded of it. */
export function RunPartitions({ run }: { run: RunWithPartitions }) {
  const { outcome } = route.useSearch();
  const [open, setOpen] = useState<string>();
  const navigate = route.useNavigate();
  const partitions = usePages(listRunPartitions, { id: run.id, limit: 100, ...(outcome ? { outcome } : {}) });
  return (
    <Card
      flush
      title="Partitions"
      aside={OUTCOMES.map((one) => (
        <button
          key={one}
          type="button"
          className="chip"
          aria-pressed={outcome === one}
          onClick={() =>
            void navigate({
              search: { tab: 'partitions', ...(outcome === one ? {} : { outcome: one }) },
              replace: true,
              resetScroll: false,
            })
          }
        >
          {one === 'open' ? 'not yet' : one}
        </button>
      ))}
    >
      <PagedTable
        pages={partitions}
        none={<Empty title={outcome ? `No partition is “${outcome}”.` : 'This run has named no partitions yet.'} />}
        keyOf={(one) => `${one.asset} ${one.key}`}
        detail={(one) => open === one.key && <Sample of={sampleOf(one.metadata)} />}
        columns={[
          {
            name: 'Partition',
            cell: (one) => (
              <Link to="/assets/$key" params={{ key: one.asset }} search={{ cell: one.key }}>
                <KeyText of={one.key} />
              </Link>
            ),
          },
          { name: 'Asset', cell: (one) => one.asset },
          { name: 'Outcome', cell: (one) => <Status of={one.outcome ?? 'open'} bare /> },
          {
            name: 'Recorded',
            className: 'small',
            cell: (one) =>
              one.error ? <span className="bad">{one.error.message}</span> : <Metadata of={one.metadata} />,
          },
          {
            name: 'Acts',
            isQuiet: true,
            isEnd: true,
            cell: (one) =>
              sampleOf(one.metadata).length > 0 && (
                <Button
                  size="compact-xs"
                  variant="default"
                  aria-expanded={open === one.key}
                  onClick={() => setOpen(open === one.key ? undefined : one.key)}
                >
                  Sample of changes
                </Button>
              ),
          },
        ]}
      />
    </Card>
  );
}

/** What a dry run would change, person by person. */
function Sample({ of }: { of: readonly SampleDiff[] }) {
  return (
    <div className="diff" role="list" aria-label="Sample of changes">
      {of.map(({ person, changes }) => (
        <div key={person} role="listitem" className="diff-line">
          <bdi className="diff-path">{person}</bdi>
          {changes.map(({ key, operation, value }) =>
            value === null ? (
              <del key={key}>{key}</del>
            ) : (
              <ins key={key} title={operation}>
                {key} = {value}
              </ins>
            ),
          )}
        </div>
      ))}
    </div>
  );
}
