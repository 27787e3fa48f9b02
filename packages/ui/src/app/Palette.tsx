import { TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, Suspense, lazy, useEffect, useRef, useState } from 'react';

import { getMe, listBackfills, listSchedules, listSensors, search } from '../api/generated/client.ts';
import { useAll, useApi } from '../api/use-api.ts';
import { Dialog } from '../parts/Dialog.tsx';
import { type Deed, type Entry, askedOf, entriesFor } from './palette-entries.ts';
import { useDeeds } from './use-deeds.ts';
import './palette.css';

const PaletteDialog = lazy(() => import('./PaletteDialog.tsx').then((module) => ({ default: module.PaletteDialog })));

interface PaletteProps {
  readonly onClose: () => void;
  readonly onShortcuts: () => void;
}

/** Pages, everything with a name, runs by id, partitions, and what can be done: one list, driven by the keyboard. */
export function Palette({ onClose, onShortcuts }: PaletteProps) {
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const [asking, setAsking] = useState<Deed>();
  const { entries, isLooking } = useEntries(text);
  const whyNot = useWhyNot();
  const act = useDeeds(onShortcuts);
  const current = Math.min(at, entries.length - 1);
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    // Newer browsers give a promise, which is nothing to clean up by.
    void list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [current]);
  const go = (entry: Entry | undefined) => {
    if (!entry || whyNot(entry) !== undefined) return;
    if (entry.deed !== undefined && !act(entry.deed)) return setAsking(entry.deed);
    if (entry.deed?.act !== 'shortcuts') onClose();
    if (entry.deed === undefined && entry.link) void navigate(entry.link);
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
  if (asking)
    return (
      <Suspense fallback={null}>
        <PaletteDialog deed={asking} onClose={onClose} />
      </Suspense>
    );
  return (
    <Dialog onClose={onClose} withCloseButton={false} padding={0} centered={false} yOffset="12vh" aria-label="Search">
      <TextInput
        size="md"
        variant="unstyled"
        data-autofocus
        placeholder="An asset, a run’s id, a partition, or what to do: stop, launch, reset…"
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
      <ul ref={list} className="palette" id="palette" role="listbox" aria-label="Results">
        {entries.map((entry, i) => (
          <li
            key={entry.id}
            id={`palette-${i}`}
            role="option"
            aria-selected={i === current}
            aria-disabled={whyNot(entry) !== undefined}
            onPointerMove={() => setAt(i)}
            onClick={() => go(entry)}
          >
            <span className="kind">{entry.kind}</span>
            <bdi className="grow clip">{entry.title}</bdi>
            <bdi className="dim small clip">{whyNot(entry) ?? entry.detail}</bdi>
          </li>
        ))}
      </ul>
      {entries.length === 0 && <p className="palette-none dim">{isLooking ? 'Looking…' : 'Nothing has this name.'}</p>}
    </Dialog>
  );
}

function useEntries(text: string): { readonly entries: readonly Entry[]; readonly isLooking: boolean } {
  const [asked] = useDebouncedValue(askedOf(text), 120);
  const isAsked = asked.length > 0;
  const found = useApi(search, { q: asked }, { enabled: isAsked, keep: true });
  const sensors = useAll(listSensors, {}, { enabled: isAsked });
  const schedules = useAll(listSchedules, {}, { enabled: isAsked });
  const backfills = useApi(listBackfills, { limit: 20 }, { enabled: isAsked });
  const states = {
    sensors: sensors.data?.items ?? [],
    schedules: schedules.data?.items ?? [],
    backfills: backfills.data?.items ?? [],
  };
  return { entries: entriesFor(text, isAsked ? (found.data?.items ?? []) : [], states), isLooking: found.isFetching };
}

/** Why an entry may not be used by whoever is signed in. */
function useWhyNot(): (entry: Entry) => string | undefined {
  const me = useApi(getMe, {});
  return ({ permission }) => {
    const allowed = permission === undefined ? undefined : me.data?.permissions[permission];
    return allowed?.allowed === false ? allowed.reason : undefined;
  };
}
