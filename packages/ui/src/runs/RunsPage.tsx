import { Button, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { Link, getRouteApi } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';

import { Card, Page } from '../parts/Page.tsx';
import { useStillHere } from '../parts/use-still-here.ts';
import { RunTable } from './RunTable.tsx';

const route = getRouteApi('/runs');
const TYPED_MS = 250;

const VIEWS = [
  ['All', ''],
  ['Running', 'status:running'],
  ['Queued', 'status:queued'],
  ['Failed', 'status:failed'],
  ['Failed, last day', 'status:failed after:-24h'],
  ['By people', 'cause:api'],
  ['By sensors', 'cause:sensor'],
] as const;

export function RunsPage() {
  const { q = '', pick } = route.useSearch();
  const navigate = route.useNavigate();
  const picked = pick?.split(',') ?? [];
  const search = (next: { q?: string; pick?: string }) => ({
    ...(next.q ? { q: next.q } : {}),
    ...(next.pick ? { pick: next.pick } : {}),
  });
  const togglePick = (id: string) => {
    const next = picked.includes(id) ? picked.filter((one) => one !== id) : [...picked, id].slice(-2);
    void navigate({ search: search({ q, pick: next.join(',') }), replace: true, resetScroll: false });
  };
  return (
    <Page title="Runs">
      <div className="row wrap">
        <QueryInput value={q} onChange={(next) => void navigate({ search: search({ q: next }), replace: true })} />
        {VIEWS.map(([name, query]) => (
          <button
            key={name}
            type="button"
            className="chip"
            aria-pressed={q === query}
            onClick={() => void navigate({ search: search({ q: query }) })}
          >
            {name}
          </button>
        ))}
        <span className="grow" />
        {picked.length === 2 && (
          <Button component={Link} to="/compare" search={{ a: picked[0], b: picked[1] } as never} variant="default">
            Compare the two
          </Button>
        )}
        {picked.length === 1 && <span className="dim small">Tick one more to compare.</span>}
      </div>
      <Card flush>
        <RunTable
          filter={q === '' ? {} : { q }}
          picked={picked}
          onPick={togglePick}
          onTotal={(total) =>
            total !== null && (
              <p className="dim small num" style={{ padding: '8px 12px 0' }}>
                {total} runs match.
              </p>
            )
          }
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
    </Page>
  );
}

function QueryInput({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  const [text, setText] = useState(value);
  const told = useRef(value);
  const isStillHere = useStillHere();
  const tell = useDebouncedCallback((next: string) => {
    if (!isStillHere()) return;
    told.current = next;
    onChange(next);
  }, TYPED_MS);
  // Only what others put into the address replaces what is being typed.
  useEffect(() => {
    if (value !== told.current) setText(value);
    told.current = value;
  }, [value]);
  return (
    <TextInput
      data-filter
      aria-label="Filter runs"
      placeholder='status:failed job:x partition:"a,b" cause:sensor after:-24h   /'
      w={400}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        tell(event.currentTarget.value);
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter') onChange(text);
      }}
    />
  );
}
