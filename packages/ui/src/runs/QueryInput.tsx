import { TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { flushSync } from 'react-dom';

import { listAssets, listJobs, listSchedules, listSensors } from '../api/generated/client.ts';
import { useAll } from '../api/use-api.ts';
import { useStillHere } from '../parts/use-still-here.ts';
import { type Suggestion, complete, suggest, wordAt } from './query-language.ts';
import './runs.css';

const TYPED_MS = 250;

export interface QueryInputProps {
  readonly value: string;
  readonly onChange: (text: string) => void;
  readonly label?: string;
  readonly placeholder?: string;
  /** What may come next after a word; undefined: of a query of runs. */
  readonly suggestFor?: ((word: string) => readonly Suggestion[]) | undefined;
}

/** A query as text, with what may come next below it: arrows choose, Enter or Tab takes, Escape closes. */
export function QueryInput({
  value,
  onChange,
  label = 'Filter runs',
  placeholder = 'status:failed partition:"a,b" cause:sensor after:-24h   /',
  suggestFor,
}: QueryInputProps) {
  const [text, setText] = useState(value);
  const [caret, setCaret] = useState(value.length);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const told = useRef(value);
  const field = useRef<HTMLInputElement>(null);
  const list = useId();
  const isStillHere = useStillHere();
  const known = useKnown(open && suggestFor === undefined);
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

  const { word } = wordAt(text, caret);
  const options = open ? (suggestFor?.(word) ?? suggest(word, known)) : [];
  const change = (next: string, place: number) => {
    setText(next);
    setCaret(place);
    setAt(-1);
    setOpen(true);
    tell(next);
  };
  const take = (option: string) => {
    const next = complete(text, caret, option);
    // At once: what is typed next goes behind it, however soon it comes.
    flushSync(() => change(next.text, next.caret));
    field.current?.setSelectionRange(next.caret, next.caret);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    const chosen = options[at];
    if (step !== 0 && options.length > 0) {
      event.preventDefault();
      setAt((at + step + options.length + (at < 0 && step < 0 ? 1 : 0)) % options.length);
    } else if (event.key === 'Escape' && open) {
      event.preventDefault();
      setOpen(false);
    } else if ((event.key === 'Enter' || event.key === 'Tab') && chosen) {
      event.preventDefault();
      take(chosen.text);
    } else if (event.key === 'Enter') {
      setOpen(false);
      onChange(text);
    }
  };
  return (
    <div className="query">
      <TextInput
        ref={field}
        data-filter
        role="combobox"
        aria-label={label}
        aria-expanded={options.length > 0}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={at >= 0 ? `${list}-${at}` : undefined}
        autoComplete="off"
        spellCheck={false}
        placeholder={placeholder}
        value={text}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onSelect={(event) => setCaret(event.currentTarget.selectionStart ?? text.length)}
        onChange={(event) =>
          change(event.currentTarget.value, event.currentTarget.selectionStart ?? event.currentTarget.value.length)
        }
        onKeyDown={onKeyDown}
      />
      <ul id={list} role="listbox" aria-label="What may come next" className="query-list" hidden={options.length === 0}>
        {options.map((option, i) => (
          <li
            key={option.text}
            id={`${list}-${i}`}
            role="option"
            aria-selected={i === at}
            // Before the field loses the focus.
            onMouseDown={(event) => {
              event.preventDefault();
              take(option.text);
            }}
          >
            <span className="mono">{option.text}</span>
            <span className="dim small clip">{option.hint}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function useKnown(enabled: boolean) {
  const jobs = useAll(listJobs, {}, { enabled });
  const assets = useAll(listAssets, {}, { enabled });
  const sensors = useAll(listSensors, {}, { enabled });
  const schedules = useAll(listSchedules, {}, { enabled });
  return {
    assets: assets.data?.items.map(({ key }) => key) ?? [],
    jobs: jobs.data?.items.map(({ name }) => name) ?? [],
    sensors: sensors.data?.items.map(({ name }) => name) ?? [],
    schedules: schedules.data?.items.map(({ name }) => name) ?? [],
  };
}
