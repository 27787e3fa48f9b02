import { ActionIcon, TextInput, Tooltip } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { ArrowDownToLine, ArrowUpToLine, ChevronDown, ChevronUp, Copy, Download, Regex, WrapText } from 'lucide-react';
import { type ReactNode, useState } from 'react';

import { notify } from '../app/notify.ts';
import { Select } from '../parts/fields.ts';
import { useStillHere } from '../parts/use-still-here.ts';
import { shortAttempt } from './log-text.ts';
import type { Found } from './use-find.ts';
import type { Level, LogWanted } from './use-log.ts';

/** Debug and above is all of it. */
const LEVELS = ['info', 'warn', 'error'] as const;
const TYPED_MS = 250;

/** What the address says of the log. */
export interface LogView {
  readonly level?: Level | undefined;
  readonly find?: string | undefined;
  /** `find` is an expression. */
  readonly regex?: 'true' | undefined;
  /** Other lines are hidden. */
  readonly only?: 'true' | undefined;
  readonly attempt?: string | undefined;
  readonly wrap?: 'no' | undefined;
  readonly line?: string | undefined;
}

export interface LogToolsProps {
  readonly view: LogView;
  readonly onView: (next: LogView) => void;
  readonly fieldRef: React.Ref<HTMLInputElement>;
  readonly found: Found;
  readonly errors: Found;
  /** Of the hits, which one is looked at; -1 none. */
  readonly here: number;
  readonly onStep: (of: Found, by: 1 | -1) => void;
  readonly attempts: readonly string[];
  readonly follow: { readonly isOn: boolean; readonly onFollow: () => void } | undefined;
  readonly ends: {
    readonly hasBefore: boolean;
    readonly hasAfter: boolean;
    readonly onGo: (to: 'start' | 'end') => void;
  };
  /** The lines that are held, as text. */
  readonly textOf: () => string;
  readonly file: string;
}

/** Everything that can be done with a log, in one line that wraps. */
export function LogTools(props: LogToolsProps) {
  const { view, onView, found, errors, here, attempts, follow, ends } = props;
  const { level, find = '', regex, only, attempt, wrap } = view;
  return (
    <div className="log-tools" role="group" aria-label="What is shown of the log">
      <FindField
        inputRef={props.fieldRef}
        value={find}
        onChange={(text) => onView({ find: text, ...(text === '' ? { only: undefined } : {}) })}
        onStep={(by) => props.onStep(found, by)}
      />
      <Tool
        label="As a regular expression"
        isOn={regex !== undefined}
        onClick={() => onView({ regex: regex ? undefined : 'true' })}
      >
        <Regex size={15} />
      </Tool>
      <Tool label="Previous hit" isOff={found.items.length === 0} onClick={() => props.onStep(found, -1)}>
        <ChevronUp size={16} />
      </Tool>
      <Tool label="Next hit" isOff={found.items.length === 0} onClick={() => props.onStep(found, 1)}>
        <ChevronDown size={16} />
      </Tool>
      {find !== '' && (
        <>
          <FoundWords of={found} here={here} />
          <Chip
            name="only these"
            isOn={only !== undefined}
            onPress={() => onView({ only: only ? undefined : 'true' })}
          />
        </>
      )}
      <span className="grow" />
      {errors.hits > 0 && (
        <button type="button" className="chip" data-tone="bad" onClick={() => props.onStep(errors, 1)}>
          {errors.hits.toLocaleString('en')} {errors.hits === 1 ? 'error' : 'errors'}: next
        </button>
      )}
      <span className="row" role="group" aria-label="Level">
        {LEVELS.map((one) => (
          <Chip
            key={one}
            name={one === 'error' ? 'errors' : `${one}+`}
            isOn={level === one}
            onPress={() => onView({ level: level === one ? undefined : one })}
          />
        ))}
      </span>
      {attempts.length > 1 && (
        <Select
          size="xs"
          w={150}
          aria-label="Attempt"
          placeholder="all attempts"
          clearable
          searchable
          value={attempt ?? null}
          data={attempts.map((id) => ({
            value: id,
            label: id.endsWith('.') ? `step ${shortAttempt(id)}` : shortAttempt(id),
          }))}
          onChange={(next) => onView({ attempt: next ?? undefined })}
        />
      )}
      {follow && <Chip name={follow.isOn ? 'following' : 'follow'} isOn={follow.isOn} onPress={follow.onFollow} />}
      <Tool label="Wrap long lines" isOn={wrap !== 'no'} onClick={() => onView({ wrap: wrap ? undefined : 'no' })}>
        <WrapText size={15} />
      </Tool>
      <Tool label="To the first line" isOff={!ends.hasBefore} onClick={() => ends.onGo('start')}>
        <ArrowUpToLine size={16} />
      </Tool>
      <Tool label="To the last line" isOff={!ends.hasAfter} onClick={() => ends.onGo('end')}>
        <ArrowDownToLine size={16} />
      </Tool>
      <Tool
        label="Copy the lines that are loaded"
        onClick={() => void navigator.clipboard?.writeText(props.textOf()).then(() => notify('good', 'Lines copied.'))}
      >
        <Copy size={15} />
      </Tool>
      <Tooltip label="Download what is shown, whole">
        <ActionIcon component="a" href={props.file} download aria-label="Download">
          <Download size={15} />
        </ActionIcon>
      </Tooltip>
    </div>
  );
}

function FoundWords({ of, here }: { of: Found; here: number }) {
  return (
    <span className="small num" role="status">
      {of.isDone ? '' : 'looking… '}
      {here >= 0 ? `${here + 1} of ` : ''}
      {of.hits.toLocaleString('en')} in {of.lines.toLocaleString('en')} lines
    </span>
  );
}

function Chip({ name, isOn, onPress }: { name: string; isOn: boolean; onPress: () => void }) {
  return (
    <button type="button" className="chip" aria-pressed={isOn} onClick={onPress}>
      {name}
    </button>
  );
}

function Tool(props: { label: string; isOff?: boolean; isOn?: boolean; onClick: () => void; children: ReactNode }) {
  return (
    <Tooltip label={props.label}>
      <ActionIcon
        aria-label={props.label}
        aria-pressed={props.isOn}
        variant={props.isOn ? 'light' : 'subtle'}
        disabled={props.isOff ?? false}
        onClick={props.onClick}
      >
        {props.children}
      </ActionIcon>
    </Tooltip>
  );
}

function FindField(props: {
  inputRef: React.Ref<HTMLInputElement>;
  value: string;
  onChange: (text: string) => void;
  onStep: (by: 1 | -1) => void;
}) {
  const [text, setText] = useState(props.value);
  const isStillHere = useStillHere();
  const tell = useDebouncedCallback((next: string) => {
    if (isStillHere()) props.onChange(next);
  }, TYPED_MS);
  return (
    <TextInput
      ref={props.inputRef}
      data-filter
      className="log-find"
      aria-label="Find in the whole log"
      placeholder="Find in the whole log"
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        tell(event.currentTarget.value);
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter') props.onStep(event.shiftKey ? -1 : 1);
      }}
    />
  );
}

/** As the server takes it: for the list, and for what is found. */
export function wantedOf({ level, attempt, find, regex, only }: LogView): {
  readonly shown: LogWanted;
  readonly found: LogWanted | undefined;
} {
  const base: LogWanted = { ...(level ? { level } : {}), ...(attempt ? { attempt } : {}) };
  if (find === undefined || find === '') return { shown: base, found: undefined };
  const found: LogWanted = { ...base, q: find, ...(regex ? { regex } : {}) };
  return { shown: only ? found : base, found };
}
