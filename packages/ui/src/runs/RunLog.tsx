import { ActionIcon, Button, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { getRouteApi } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { ChevronDown, ChevronUp, Download } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';

import { type LogLine, type RunWithPartitions, findInRunLog } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { useClock } from '../app/preferences.ts';
import { Card } from '../parts/Page.tsx';
import { Empty, Loading, ProblemNotice } from '../parts/States.tsx';
import { formatTime } from '../parts/time.ts';
import { useStillHere } from '../parts/use-still-here.ts';
import { isActive } from './active.ts';
import { downloadLog } from './download-log.ts';
import { useLog } from './use-log.ts';
import './run.css';

const route = getRouteApi('/runs/$id');
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const TONES: Readonly<Record<string, string>> = { error: 'bad', warn: 'warn', info: 'busy', debug: 'calm' };
const LINE_PX = 22;
const TYPED_MS = 250;

/** The log as it grows, with find over the whole of it on the server, and a level. Scrolling up stops following. */
export function RunLog({ run }: { run: RunWithPartitions }) {
  const { level, find = '', line } = route.useSearch();
  const navigate = route.useNavigate();
  const log = useLog(run.id, level, isActive(run.status));
  const found = useApi(
    findInRunLog,
    { id: run.id, q: find, limit: 500, ...(level ? { level } : {}) },
    { enabled: find !== '', keep: true },
  );
  const field = useRef<HTMLInputElement>(null);
  const hits = find === '' ? [] : (found.data?.items ?? []);
  const here = hits.findIndex((hit) => hit.id === line);

  const go = (next: { level?: typeof level | undefined; find?: string; line?: string | undefined }) =>
    void navigate({
      search: {
        tab: 'log',
        ...((next.level ?? level) && 'level' in next
          ? next.level
            ? { level: next.level }
            : {}
          : level
            ? { level }
            : {}),
        ...((next.find ?? find) ? { find: next.find ?? find } : {}),
        ...(next.line ? { line: next.line } : {}),
      },
      replace: true,
      resetScroll: false,
    });
  const step = (by: 1 | -1) => {
    const hit = hits[(Math.max(here, by === 1 ? -1 : 0) + by + hits.length) % Math.max(hits.length, 1)];
    if (hit) go({ line: hit.id });
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
      title={`Log${log.lines.length > 0 ? `, ${log.lines.length.toLocaleString('en')} lines${log.hasMore ? ' so far' : ''}` : ''}`}
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
          {find !== '' && (
            <span className="small num" role="status">
              {found.data
                ? `${here >= 0 ? `${here + 1} of ` : ''}${found.data.hits.toLocaleString('en')} in ${found.data.lines.toLocaleString('en')} lines`
                : 'looking…'}
            </span>
          )}
          <ActionIcon aria-label="Previous hit" disabled={hits.length === 0} onClick={() => step(-1)}>
            <ChevronUp size={16} />
          </ActionIcon>
          <ActionIcon aria-label="Next hit" disabled={hits.length === 0} onClick={() => step(1)}>
            <ChevronDown size={16} />
          </ActionIcon>
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
      {log.error ? <ProblemNotice error={log.error} /> : null}
      {log.isFirst && !log.error && <Loading />}
      {!log.isFirst && log.lines.length === 0 && (
        <Empty
          title={
            level
              ? `No line of level ${level} or above.`
              : isActive(run.status)
                ? 'No line yet.'
                : 'This run logged nothing.'
          }
        >
          {level && (
            <Button variant="default" onClick={() => go({ level: undefined })}>
              Show all levels
            </Button>
          )}
        </Empty>
      )}
      {log.lines.length > 0 && (
        <Lines
          lines={log.lines}
          find={find}
          here={line}
          follow={isActive(run.status) && line === undefined}
          onPick={(id) => go({ line: id })}
        />
      )}
    </Card>
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

function Lines(props: {
  lines: readonly LogLine[];
  find: string;
  here: string | undefined;
  follow: boolean;
  onPick: (id: string) => void;
}) {
  const { lines, here, follow } = props;
  const clock = useClock();
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => LINE_PX,
    overscan: 12,
  });
  useEffect(() => {
    if (follow && atEnd.current) rows.scrollToIndex(lines.length - 1, { align: 'end' });
  }, [follow, lines.length, rows]);
  const target = here === undefined ? -1 : lines.findIndex((line) => line.id === here);
  useEffect(() => {
    if (target >= 0) rows.scrollToIndex(target, { align: 'center' });
  }, [target, rows]);
  return (
    <div
      className="log"
      ref={box}
      tabIndex={0}
      role="log"
      aria-label="Log lines"
      aria-live="off"
      onScroll={({ currentTarget: at }) => {
        atEnd.current = at.scrollHeight - at.scrollTop - at.clientHeight < LINE_PX * 2;
      }}
    >
      <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map(({ index, start, key }) => {
          const line = lines[index];
          if (!line) return null;
          return (
            <div
              key={key}
              ref={rows.measureElement}
              data-index={index}
              data-here={line.id === here || undefined}
              className="log-line"
              style={{ position: 'absolute', top: 0, transform: `translateY(${start}px)` }}
            >
              <a
                href={`?tab=log&line=${line.id}`}
                onClick={(event) => {
                  event.preventDefault();
                  props.onPick(line.id);
                }}
              >
                {formatTime(line.at, clock, true)}
              </a>
              <span data-tone={TONES[line.level] ?? 'calm'} style={{ color: 'var(--tone)' }}>
                {line.level}
              </span>
              <span className="message">
                <Marked text={textOf(line)} find={props.find} />
              </span>
            </div>
          );
        })}
      </div>
    </div>
  );
}

function textOf({ message, fields }: LogLine): string {
  const { level: _level, attempt: _attempt, message: _message, ...rest } = fields;
  return Object.keys(rest).length === 0 ? message : `${message} ${JSON.stringify(rest)}`;
}

function Marked({ text, find }: { text: string; find: string }) {
  const at = find === '' ? -1 : text.toLowerCase().indexOf(find.toLowerCase());
  if (at < 0) return text;
  return (
    <>
      {text.slice(0, at)}
      <mark>{text.slice(at, at + find.length)}</mark>
      {text.slice(at + find.length)}
    </>
  );
}
