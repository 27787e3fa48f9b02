import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef } from 'react';

import type { LogLine } from '../api/generated/client.ts';
import { useClock } from '../app/preferences.ts';
import { formatTime } from '../parts/time.ts';
import type { Log, LogActs } from './use-log.ts';
import './run.css';

const TONES: Readonly<Record<string, string>> = { error: 'bad', warn: 'warn', info: 'busy', debug: 'calm' };
const LINE_PX = 22;
/** Lines before an end at which more are asked for. */
const NEAR = 60;

export interface LogLinesProps {
  readonly log: Log & LogActs;
  readonly find: string;
  readonly here: string | undefined;
  /** Stay at the end while lines come; scrolling up stops it. */
  readonly follow: boolean;
  readonly onPick: (id: string) => void;
}

/** The lines that are held, of which only those to be seen are in the page. */
export function LogLines({ log, find, here, follow, onPick }: LogLinesProps) {
  const { lines, hasBefore, hasAfter, prepended, opening } = log;
  const clock = useClock();
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    getItemKey: (index) => lines[index]?.id ?? index,
    estimateSize: () => LINE_PX,
    overscan: 12,
  });
  const virtual = rows.getVirtualItems();

  // What is looked at stays where it is when lines come or go before it.
  useLayoutEffect(() => {
    if (prepended !== 0 && box.current) box.current.scrollTop += prepended * LINE_PX;
  }, [lines, prepended]);
  const latest = useRef(lines.length);
  latest.current = lines.length;
  useLayoutEffect(() => {
    if (opening.at === 'start') rows.scrollToOffset(0);
    if (opening.at === 'end') rows.scrollToIndex(latest.current - 1, { align: 'end' });
  }, [opening, rows]);
  useEffect(() => {
    if (follow && atEnd.current && !hasAfter) rows.scrollToIndex(lines.length - 1, { align: 'end' });
  }, [follow, hasAfter, lines.length, rows]);
  const target = here === undefined ? -1 : lines.findIndex((line) => line.id === here);
  const scrolledTo = useRef<string>(undefined);
  useEffect(() => {
    if (here === undefined || scrolledTo.current === here) return;
    if (target >= 0) {
      scrolledTo.current = here;
      rows.scrollToIndex(target, { align: 'center' });
    }
  }, [here, target, rows]);

  const [first, last] = [virtual[0]?.index ?? 0, virtual.at(-1)?.index ?? 0];
  const { more } = log;
  useEffect(() => {
    if (hasBefore && first < NEAR) more('before');
    else if (hasAfter && last > lines.length - NEAR) more('after');
  }, [first, last, hasBefore, hasAfter, lines.length, more]);

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
        {virtual.map(({ index, start, key }) => {
          const line = lines[index];
          if (!line) return null;
          return (
            <div
              key={key}
              ref={rows.measureElement}
              data-index={index}
              data-here={line.id === here || undefined}
              data-level={line.level}
              className="log-line"
              style={{ position: 'absolute', top: 0, transform: `translateY(${start}px)` }}
            >
              <a
                href={`?tab=log&line=${line.id}`}
                onClick={(event) => {
                  event.preventDefault();
                  scrolledTo.current = line.id;
                  onPick(line.id);
                }}
              >
                {formatTime(line.at, clock, true)}
              </a>
              <span data-tone={TONES[line.level] ?? 'calm'} style={{ color: 'var(--tone)' }}>
                {line.level}
              </span>
              <span className="message">
                <Marked text={textOf(line)} find={find} />
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
