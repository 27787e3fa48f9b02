import { TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { type LinkProps, useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useState } from 'react';

import { Dialog } from '../parts/Dialog.tsx';
import { type SearchHit, search } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { NAV } from './nav.ts';
import './palette.css';

interface Entry {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly detail: string;
  readonly link: LinkProps;
}

/** Pages, everything with a name, runs by id, partitions, and what can be done: one list, driven by the keyboard. */
export function Palette({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const [asked] = useDebouncedValue(text.trim(), 120);
  const found = useApi(search, { q: asked }, { enabled: asked.length > 0, keep: true });
  const entries = [...pagesFor(text), ...(asked === '' ? [] : (found.data?.items ?? []).flatMap(entriesOf))];
  const current = Math.min(at, entries.length - 1);
  const go = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    void navigate(entry.link);
  };
  const onKey = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      setAt((entries.length + current + step) % Math.max(entries.length, 1));
    }
    if (event.key === 'Enter') {
      event.preventDefault();
      go(entries[current]);
    }
  };
  return (
    <Dialog onClose={onClose} withCloseButton={false} padding={0} centered={false} yOffset="12vh" aria-label="Search">
      <TextInput
        size="md"
        variant="unstyled"
        data-autofocus
        placeholder="An asset, a sensor, a run’s id, a partition, an action…"
        role="combobox"
        aria-label="Search or do"
        aria-expanded
        aria-controls="palette"
        aria-activedescendant={entries[current] ? `palette-${current}` : undefined}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKey}
        styles={{ input: { padding: '10px 16px' } }}
      />
      <ul className="palette" id="palette" role="listbox" aria-label="Results">
        {entries.map((entry, i) => (
          <li
            key={entry.id}
            id={`palette-${i}`}
            role="option"
            aria-selected={i === current}
            onPointerMove={() => setAt(i)}
            onClick={() => go(entry)}
          >
            <span className="kind">{entry.kind}</span>
            <bdi className="grow clip">{entry.title}</bdi>
            <bdi className="dim small clip">{entry.detail}</bdi>
          </li>
        ))}
      </ul>
      {entries.length === 0 && (
        <p className="palette-none dim">{found.isFetching ? 'Looking…' : 'Nothing has this name.'}</p>
      )}
    </Dialog>
  );
}

function pagesFor(text: string): Entry[] {
  const words = text.trim().toLowerCase();
  return NAV.filter(({ name }) => name.toLowerCase().includes(words)).map((item) => ({
    id: `page:${item.to}`,
    kind: 'page',
    title: item.name,
    detail: `g ${item.key}`,
    link: { to: item.to },
  }));
}

function entriesOf(hit: SearchHit): Entry[] {
  const entry = (kind: string, title: string, link: LinkProps): Entry => ({
    id: `${kind}:${hit.asset ?? ''}:${hit.id}`,
    kind,
    title,
    detail: hit.detail,
    link,
  });
  switch (hit.kind) {
    case 'asset':
      return [
        entry('asset', hit.title, { to: '/assets/$key', params: { key: hit.id } }),
        entry('do', `Materialize ${hit.title}`, { to: '/launch', search: { asset: hit.id } }),
      ];
    case 'sensor':
      return [
        entry('sensor', hit.title, { to: '/sensors/$name', params: { name: hit.id } }),
        entry('do', `Edit the cursor of ${hit.title}`, {
          to: '/sensors/$name',
          params: { name: hit.id },
          search: { tab: 'cursor' },
        }),
      ];
    case 'run':
      return [entry('run', hit.title, { to: '/runs/$id', params: { id: hit.id } })];
    case 'partition':
      return [entry('partition', hit.title, { to: '/launch', search: { asset: hit.asset ?? '', partition: hit.id } })];
    case 'job':
      return [entry('job', hit.title, { to: '/runs', search: { q: `job:${hit.id}` } })];
    case 'schedule':
      return [entry('schedule', hit.title, { to: '/schedules' })];
    case 'pool':
      return [entry('pool', hit.title, { to: '/system' })];
  }
}
