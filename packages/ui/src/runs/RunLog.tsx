import { ActionIcon, Button, TextInput, Tooltip } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { getRouteApi } from '@tanstack/react-router';
import { ArrowDownToLine, ArrowUpToLine, ChevronDown, ChevronUp, Download } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';

import type { RunWithPartitions } from '../api/generated/client.ts';
import { Card } from '../parts/Page.tsx';
import { Empty, Loading, ProblemNotice } from '../parts/States.tsx';
import { useStillHere } from '../parts/use-still-here.ts';
import { isActive } from './active.ts';
import { downloadLog } from './download-log.ts';
import { LogLines } from './LogLines.tsx';
import { type Found, useFind } from './use-find.ts';
import { type Level, useLog } from './use-log.ts';
import './run.css';

const route = getRouteApi('/runs/$id');
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const TYPED_MS = 250;

/** The log as it grows, with find over the whole of it on the server, and a level. Scrolling up stops following. */
export function RunLog({ run }: { run: RunWithPartitions }) {
  const { level, find = '', line } = route.useSearch();
  const navigate = route.useNavigate();
  const works = isActive(run.status);
  // A run that went well is read from its beginning; one that works or failed, from its end.
  const first = line !== undefined ? { around: line } : run.status === 'SUCCESS' ? { start: true as const } : {};
  const log = useLog(run.id, level, works, first);
  const found = useFind(run.id, find, level);
  const field = useRef<HTMLInputElement>(null);
  const hits = found.items;
  const here = hits.findIndex((hit) => hit.id === line);

  const go = (next: { level?: Level | undefined; find?: string; line?: string | undefined }) => {
    const all = { level, find, ...next, line: next.line };
    const set = Object.entries(all).filter(([, value]) => value !== undefined && value !== '');
    void navigate({ search: { tab: 'log', ...Object.fromEntries(set) }, replace: true, resetScroll: false });
  };
  const isHeld = line !== undefined && log.lines.some((one) => one.id === line);
  const { jump, isFirst } = log;
  const asked = useRef<string>(undefined);
  useEffect(() => {
    if (line === undefined || isHeld || isFirst || asked.current === line) return;
    asked.current = line;
    jump({ around: line });
  }, [line, isHeld, isFirst, jump]);

  const step = (by: 1 | -1) => {
    const hit = hits[(Math.max(here, by === 1 ? -1 : 0) + by + hits.length) % Math.max(hits.length, 1)];
    asked.current = undefined;
    if (hit) go({ line: hit.id });
  };
  const leave = (place: Parameters<typeof jump>[0]) => {
    go({ line: undefined });
    jump(place);
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'f') {
        event.preventDefault();
        field.current?.focus();
        field.current?.select();
      }
      const isTyping = event.target instanceof HTMLElement && event.target.closest('input, textarea, [role="dialog"]');
      if (event.key === 'e' && !isTyping && !event.ctrlKey && !event.metaKey)
        go({ level: level === 'error' ? undefined : 'error' });
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  });

  return (
    <Card
      flush
      title={`Log${log.total > 0 ? `, ${log.total.toLocaleString('en')} lines` : ''}${works ? ' so far' : ''}`}
      aside={
        <div className="row wrap">
          {LEVELS.map((one) => (
            <button
              key={one}
              type="button"
              className="chip"
              aria-pressed={level === one}
              onClick={() => go({ level: level === one ? undefined : one })}
            >
              {one === 'error' ? 'errors' : `${one}+`}
            </button>
          ))}
          <FindField inputRef={field} value={find} onChange={(text) => go({ find: text })} onStep={step} />
          {find !== '' && <FoundWords of={found} here={here} />}
          <Tool label="Previous hit" disabled={hits.length === 0} onClick={() => step(-1)}>
            <ChevronUp size={16} />
          </Tool>
          <Tool label="Next hit" disabled={hits.length === 0} onClick={() => step(1)}>
            <ChevronDown size={16} />
          </Tool>
          <Tool label="To the first line" disabled={!log.hasBefore} onClick={() => leave({ start: true })}>
            <ArrowUpToLine size={16} />
          </Tool>
          <Tool label="To the last line" disabled={!log.hasAfter} onClick={() => leave({})}>
            <ArrowDownToLine size={16} />
          </Tool>
          <Button
            variant="default"
            size="compact-xs"
            leftSection={<Download size={12} />}
            onClick={() => void downloadLog(run.id)}
          >
            Download
          </Button>
        </div>
      }
    >
      {log.error ? <ProblemNotice error={log.error} onRetry={() => jump(first)} /> : null}
      {found.error ? <ProblemNotice error={found.error} /> : null}
      {log.isFirst && !log.error && <Loading />}
      {!log.isFirst && log.lines.length === 0 && (
        <Empty
          title={level ? `No line of level ${level} or above.` : works ? 'No line yet.' : 'This run logged nothing.'}
        >
          {level && (
            <Button variant="default" onClick={() => go({ level: undefined })}>
              Show all levels
            </Button>
          )}
        </Empty>
      )}
      {log.lines.length > 0 && (
        <LogLines
          log={log}
          find={find}
          here={line}
          follow={works && line === undefined}
          onPick={(id) => go({ line: id })}
        />
      )}
    </Card>
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

function Tool(props: { label: string; disabled: boolean; onClick: () => void; children: React.ReactNode }) {
  return (
    <Tooltip label={props.label}>
      <ActionIcon aria-label={props.label} disabled={props.disabled} onClick={props.onClick}>
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
