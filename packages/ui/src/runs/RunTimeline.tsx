import { Button } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import type { KeyboardEvent } from 'react';

import { type RunWithPartitions, listRunEvents } from '../api/generated/client.ts';
import { usePages } from '../api/use-api.ts';
import { More } from '../parts/More.tsx';
import { Card } from '../parts/Page.tsx';
import { Empty, Read } from '../parts/States.tsx';
import { formatDuration } from '../parts/time.ts';
import { useNow } from '../parts/use-now.ts';
import { isActive } from './active.ts';
import { shortAttempt } from './log-text.ts';
import { type Attempt, attemptsOf, criticalOf } from './spans.ts';
import { type Span, axisOf } from './time-axis.ts';
import { TimelineRow, type Row } from './TimelineRow.tsx';
import { TimeRuler } from './TimeRuler.tsx';
import './run.css';

const route = getRouteApi('/runs/$id');
const SHOWN_ATTEMPTS = 100;
const TONES = { ok: 'good', failed: 'bad', lost: 'bad', cancelled: 'calm', handed_on: 'calm' } as const;

/** When each attempt and each of its phases began and ended, from the launch to the end, and the way to their lines. */
export function RunTimeline({ run }: { run: RunWithPartitions }) {
  const { from: zoomFrom, to: zoomTo, idle } = route.useSearch();
  const navigate = route.useNavigate();
  const events = usePages(listRunEvents, { id: run.id, limit: 500 });
  const now = useNow(isActive(run.status) ? 1_000 : 0);
  const from = Date.parse(run.created_at);
  const end = run.ended_at === null ? Math.max(now, from + 1) : Date.parse(run.ended_at);
  const startedAt = run.started_at === null ? undefined : Date.parse(run.started_at);
  const go = (next: { from?: number | undefined; to?: number | undefined; idle?: 'shown' | undefined }) =>
    void navigate({
      search: (all) => ({ ...all, tab: 'timeline', ...next }) as never,
      replace: true,
      resetScroll: false,
    });
  const isZoomed = zoomFrom !== undefined && zoomTo !== undefined && zoomTo > zoomFrom;
  const seen: Span = isZoomed ? { from: zoomFrom, to: zoomTo } : { from, to: end };
  return (
    <Card
      flush
      title="Timeline"
      aside={
        <>
          {isZoomed && (
            <Button variant="default" size="compact-xs" onClick={() => go({ from: undefined, to: undefined })}>
              Whole run
            </Button>
          )}
          <button
            type="button"
            className="chip"
            aria-pressed={idle !== 'shown'}
            onClick={() => go({ idle: idle === 'shown' ? undefined : 'shown' })}
          >
            idle times short
          </button>
          <span className="dim small num">
            {formatDuration(end - from)} from launch {run.ended_at ? 'to end' : 'until now'}
          </span>
        </>
      }
    >
      <Read of={events}>
        {() => {
          const attempts = attemptsOf(events.items, {
            startedAt,
            endedAt: run.ended_at === null ? undefined : end,
          }).slice(0, SHOWN_ATTEMPTS);
          const axis = axisOf(
            seen,
            attempts.map((one) => ({ from: one.from, to: one.to ?? end })),
            idle !== 'shown',
          );
          const rows = rowsOf(attempts, { from, startedAt, end });
          return (
            <div
              className="timeline"
              role="table"
              aria-label="Attempts and phases"
              onKeyDown={(event) =>
                onKey(event, rows, (row) => go(row ? zoomOf(row, end) : { from: undefined, to: undefined }))
              }
            >
              <TimeRuler axis={axis} seen={seen} onZoom={(span) => go(span)} />
              {rows.map((row, i) => (
                <TimelineRow key={row.key} row={row} run={run.id} axis={axis} end={end} isFirst={i === 0} />
              ))}
              {attempts.length === 0 && (
                <Empty title={isActive(run.status) ? 'No attempt has begun yet.' : 'This run had no attempts.'} />
              )}
            </div>
          );
        }}
      </Read>
      <More of={events} />
    </Card>
  );
}

function rowsOf(
  attempts: readonly Attempt[],
  { from, startedAt, end }: { from: number; startedAt: number | undefined; end: number },
): readonly Row[] {
  const critical = attempts.length > 1 ? criticalOf(attempts) : new Set<string>();
  const units = new Set(attempts.map(({ unit }) => unit));
  const queued: Row = { key: 'queued', name: 'queued', from, to: startedAt ?? end, tone: 'wait', isTop: true };
  return [
    queued,
    ...attempts.flatMap((attempt): Row[] => {
      const number = attempt.id.slice(attempt.unit.length + 1);
      const name = units.size === 1 ? `attempt ${number}` : shortAttempt(attempt.id);
      const { id, to, verdict, worker, retryAt } = attempt;
      const top: Row = {
        key: id,
        name: attempts.length === 1 ? 'attempt' : name,
        from: attempt.from,
        to,
        tone: verdict === undefined ? (to === undefined ? 'busy' : 'good') : TONES[verdict],
        isTop: true,
        isCritical: critical.has(id),
        attempt: id,
        note: [verdict === undefined || verdict === 'ok' ? '' : verdict.replace('_', ' '), worker ?? '']
          .filter(Boolean)
          .join(', '),
      };
      const phases = attempt.phases.map((phase, i) => ({
        ...phase,
        key: `${id} ${i}`,
        tone: phase.name === 'starting' || phase.name === 'committing' ? 'calm' : 'busy',
        isTop: false,
        attempt: id,
      }));
      const rest: Row[] =
        retryAt !== undefined && to !== undefined && retryAt > to
          ? [{ key: `${id} rest`, name: 'rests before the next', from: to, to: retryAt, tone: 'wait', isTop: false }]
          : [];
      return [top, ...phases, ...rest];
    }),
  ];
}

/** A little more than the row, so that its ends are seen. */
function zoomOf({ from, to }: Row, end: number): Span {
  const margin = Math.max(((to ?? end) - from) * 0.1, 5);
  return { from: Math.floor(from - margin), to: Math.ceil((to ?? end) + margin) };
}

/** Arrows go from row to row, `z` shows a row alone, Escape all of the run; Enter follows the row's link to its lines. */
function onKey(event: KeyboardEvent<HTMLElement>, rows: readonly Row[], onZoom: (row: Row | undefined) => void): void {
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-row]')];
  const at = all.findIndex((row) => row === document.activeElement?.closest('[data-row]'));
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (step !== 0) all[Math.min(Math.max(at + step, 0), all.length - 1)]?.focus();
  else if (event.key === 'z') onZoom(rows[at]);
  else if (event.key === 'Escape') onZoom(undefined);
  else if (event.key === 'Enter' && event.target === all[at]) all[at]?.querySelector<HTMLElement>('a')?.click();
  else return;
  event.preventDefault();
}
