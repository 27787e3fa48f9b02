import { Button } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';

import { type RunWithPartitions, listRunEvents } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { Card } from '../parts/Page.tsx';
import { Empty, Loading, ProblemNotice } from '../parts/States.tsx';
import { isActive } from './active.ts';
import { LogLines } from './LogLines.tsx';
import { LogMap } from './LogMap.tsx';
import { type LogView, LogTools, wantedOf } from './LogTools.tsx';
import { attemptsOf } from './spans.ts';
import { type Found, useFind } from './use-find.ts';
import { type LogWanted, type Place, useLog } from './use-log.ts';
import './run.css';

const route = getRouteApi('/runs/$id');
const NO_BOUNDS = { startedAt: undefined, endedAt: undefined };
const NO_HITS: ReadonlySet<string> = new Set();

/**
 * The log as it grows, with find over the whole of it on the server. Scrolling up stops following; a run that failed
 * opens at its first error.
 */
export function RunLog({ run }: { run: RunWithPartitions }) {
  const { level, find = '', regex, only, attempt, wrap, line: asLinked } = route.useSearch();
  const line = asLinked === '' ? undefined : asLinked;
  const navigate = route.useNavigate();
  const works = isActive(run.status);
  const wanted = useMemo(() => wantedOf({ level, find, regex, only, attempt }), [level, find, regex, only, attempt]);
  const errorsWanted = useMemo<LogWanted>(() => ({ level: 'error', ...(attempt ? { attempt } : {}) }), [attempt]);
  const errors = useFind(run.id, errorsWanted, works);
  const found = useFind(run.id, wanted.found, works);
  const firstError = run.status === 'FAILURE' ? errors.items[0]?.id : undefined;
  const here = line ?? (find === '' ? firstError : undefined);
  const isKnown = line !== undefined || run.status !== 'FAILURE' || firstError !== undefined || errors.isDone;
  const log = useLog(run.id, wanted.shown, works, isKnown ? placeOf(run, here) : undefined);
  const field = useRef<HTMLInputElement>(null);
  const [isAtEnd, setAtEnd] = useState(true);
  const attempts = useAttempts(run);
  const isExpression = regex !== undefined && !found.error;
  const hits = useMemo(
    () => (isExpression ? new Set(found.items.map((hit) => hit.id)) : NO_HITS),
    [isExpression, found.items],
  );

  const go = (next: LogView) => {
    const all = { level, find, regex, only, attempt, wrap, ...next, line: next.line };
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

  const step = (of: Found, by: 1 | -1) => {
    const at = of.items.findIndex((hit) => hit.id === here);
    const hit = of.items[(Math.max(at, by === 1 ? -1 : 0) + by + of.items.length) % Math.max(of.items.length, 1)];
    asked.current = undefined;
    if (hit) go({ line: hit.id });
  };
  const leave = (place: Place) => {
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
  const isFiltered = level !== undefined || attempt !== undefined || only !== undefined;

  return (
    <Card
      flush
      title={`Log${log.total > 0 ? `, ${log.total.toLocaleString('en')} lines` : ''}${works ? ' so far' : ''}`}
      aside={<span className="dim small">Times lead to their line</span>}
    >
      <LogTools
        view={{ level, find, regex, only, attempt, wrap }}
        onView={go}
        fieldRef={field}
        found={found}
        errors={errors}
        here={found.items.findIndex((hit) => hit.id === line)}
        onStep={step}
        attempts={attempts}
        follow={works ? { isOn: isAtEnd && line === undefined && !log.hasAfter, onFollow: () => leave({}) } : undefined}
        ends={{
          hasBefore: log.hasBefore,
          hasAfter: log.hasAfter,
          onGo: (to) => leave(to === 'start' ? { start: true } : {}),
        }}
        textOf={() => log.lines.map((one) => `${one.at} ${one.level.padEnd(5)} ${one.message}`).join('\n')}
        file={`/api/v1/runs/${run.id}/log/file?${new URLSearchParams(Object.entries(wanted.shown)).toString()}`}
      />
      {log.error ? <ProblemNotice error={log.error} onRetry={() => jump({})} /> : null}
      {found.error && found.error !== log.error && !only ? <ProblemNotice error={found.error} /> : null}
      {log.isFirst && !log.error && <Loading />}
      {!log.isFirst && !log.error && log.lines.length === 0 && (
        <Empty
          title={isFiltered ? 'No line is what was asked for.' : works ? 'No line yet.' : 'This run logged nothing.'}
        >
          {isFiltered && (
            <Button variant="default" onClick={() => go({ level: undefined, attempt: undefined, only: undefined })}>
              Show all {log.total.toLocaleString('en')} lines
            </Button>
          )}
        </Empty>
      )}
      {log.lines.length > 0 && (
        <LogLines
          log={log}
          find={regex ? '' : find}
          hits={hits}
          here={here}
          follow={works && line === undefined}
          isWrapped={wrap !== 'no'}
          onEnd={setAtEnd}
          map={(seen) => (
            <LogMap
              errors={errors}
              hits={found}
              total={errors.lines}
              seen={seen}
              onGo={(to) => (to === undefined ? leave({ start: true }) : go({ line: to }))}
            />
          )}
        />
      )}
    </Card>
  );
}

/** A run that went well is read from its beginning, one that works from its end. */
function placeOf(run: RunWithPartitions, here: string | undefined): Place {
  if (here !== undefined) return { around: here };
  return run.status === 'SUCCESS' ? { start: true } : {};
}

/** Ids of attempts, before those of a step the step where there are several. */
function useAttempts(run: RunWithPartitions): readonly string[] {
  const events = useApi(listRunEvents, { id: run.id, limit: 500 });
  return useMemo(() => {
    const ids = attemptsOf(events.data?.items ?? [], NO_BOUNDS).map((one) => one.id);
    const steps = [...new Set(ids.map((id) => id.split('.').slice(0, 2).join('.')))];
    return steps.length < 2
      ? ids
      : steps.flatMap((step) => [`${step}.`, ...ids.filter((id) => id.startsWith(`${step}.`))]);
  }, [events.data]);
}
