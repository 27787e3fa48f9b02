/**
 * A window of a run's log: only what is near is held, however long the log is. It grows at both ends as one scrolls,
 * jumps to any line, and follows the end while the run works.
 */

import { useCallback, useEffect, useRef, useState } from 'react';

import { type LogLine, type LogWindow, readLogWindow } from '../api/generated/client.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';
/** Which lines; as the API takes it. */
export interface LogWanted {
  readonly level?: Level;
  /** An attempt’s id; with a dot at its end, of all that begin so. */
  readonly attempt?: string;
  readonly q?: string;
  readonly regex?: string;
}
export type Place = { readonly around: string } | { readonly start: true } | Record<never, never>;

export interface Log {
  readonly lines: readonly LogLine[];
  /** Kept by the server, of every level. */
  readonly total: number;
  readonly hasBefore: boolean;
  readonly hasAfter: boolean;
  readonly isFirst: boolean;
  readonly error: unknown;
  /** How many lines the last change put before the first one that was held. */
  readonly prepended: number;
  /** Anew with every jump: where the list begins to be looked at. */
  readonly opening: { readonly at: 'start' | 'end' | 'line' };
}

export interface LogActs {
  /** At the beginning, the end, or a line. */
  jump(place: Place): void;
  more(side: 'before' | 'after'): void;
}

const PAGE = 500;
/** Held at once: about a megabyte of usual lines. */
const MOST_HELD = 6_000;
const ASK_EVERY_MS = 1_000;
/** Empty reads after the run's end, because its last lines are written a moment later. */
const LAST_READS = 3;

const NOTHING: Log = {
  lines: [],
  total: 0,
  hasBefore: false,
  hasAfter: false,
  isFirst: true,
  error: undefined,
  prepended: 0,
  opening: { at: 'end' },
};

/**
 * @param wanted the same object as long as the same is wanted
 * @param first where it begins; undefined while that is not known yet
 */
export function useLog(id: string, wanted: LogWanted, isWorking: boolean, first: Place | undefined): Log & LogActs {
  const [log, setLog] = useState<Log>(NOTHING);
  // What is held, known before React has shown it: asked again from an edge that is no longer one, lines would be there twice.
  const held = useRef<Log>(NOTHING);
  const hold = useCallback((next: Log) => {
    held.current = next;
    setLog(next);
  }, []);
  const latestFirst = useRef(first);
  useEffect(() => {
    latestFirst.current = first;
  });
  // One read at a time: two that overlap would put lines in twice.
  const reading = useRef<AbortController>(undefined);

  const read = useCallback(
    async (place: object, apply: (before: Log, window: LogWindow) => Log, isJump: boolean): Promise<number> => {
      if (reading.current && !isJump) return 0;
      reading.current?.abort();
      const own = new AbortController();
      reading.current = own;
      try {
        let window = await readLogWindow({ id, limit: PAGE, ...wanted, ...place }, own.signal);
        // A level may hide all that the server looked at for one answer: it says where to go on.
        for (let next = beyond(place, window); next; next = beyond(place, window)) {
          window = await readLogWindow({ id, limit: PAGE, ...wanted, ...next }, own.signal);
          if (own.signal.aborted) return 0;
        }
        if (own.signal.aborted) return 0;
        hold({ ...apply(held.current, window), total: window.total, isFirst: false, error: undefined });
        return window.items.length;
      } catch (error) {
        if (!own.signal.aborted) hold({ ...held.current, isFirst: false, error });
        return 0;
      } finally {
        if (reading.current === own) reading.current = undefined;
      }
    },
    [id, wanted, hold],
  );

  const jump = useCallback((place: Place) => void read(place, (_, window) => opened(window, place), true), [read]);
  const more = useCallback(
    (side: 'before' | 'after') => {
      const { lines } = held.current;
      const edge = side === 'before' ? lines[0]?.id : lines.at(-1)?.id;
      if (edge !== undefined) void read({ [side]: edge }, (before, window) => grown(before, window, side), false);
    },
    [read],
  );

  const isKnown = first !== undefined;
  useEffect(() => {
    hold(NOTHING);
    if (isKnown) jump(latestFirst.current ?? {});
    return () => reading.current?.abort();
  }, [jump, hold, isKnown]);

  useEffect(() => {
    let readsLeft = isWorking ? Infinity : LAST_READS;
    const timer = setInterval(() => {
      const { lines, hasAfter, isFirst, error } = held.current;
      if (isFirst || error !== undefined || hasAfter) return;
      if (readsLeft-- <= 0) return clearInterval(timer);
      const edge = lines.at(-1)?.id;
      void read(
        edge === undefined ? {} : { after: edge },
        (before, window) => (edge === undefined ? opened(window, {}) : grown(before, window, 'after')),
        false,
      );
    }, ASK_EVERY_MS);
    return () => clearInterval(timer);
  }, [read, isWorking]);

  return { ...log, jump, more };
}

/** Where to look on when a window is empty and its side has more. */
function beyond(place: object, window: LogWindow): { after: string } | { before: string } | undefined {
  if (window.items.length > 0) return undefined;
  const isForwards = 'start' in place || 'after' in place;
  if (isForwards) return window.has_after && window.next_after ? { after: window.next_after } : undefined;
  return window.has_before && window.next_before ? { before: window.next_before } : undefined;
}

function opened(window: LogWindow, place: Place): Log {
  const at = 'start' in place ? 'start' : 'around' in place ? 'line' : 'end';
  return { ...NOTHING, opening: { at }, lines: window.items, hasBefore: window.has_before, hasAfter: window.has_after };
}

function grown(before: Log, window: LogWindow, side: 'before' | 'after'): Log {
  if (side === 'after') {
    if (window.items.length === 0) return { ...before, hasAfter: window.has_after, prepended: 0 };
    const lines = [...before.lines, ...window.items];
    const dropped = Math.max(0, lines.length - MOST_HELD);
    return {
      ...before,
      lines: lines.slice(dropped),
      hasBefore: before.hasBefore || dropped > 0,
      hasAfter: window.has_after,
      prepended: -dropped,
    };
  }
  const lines = [...window.items, ...before.lines];
  return {
    ...before,
    lines: lines.slice(0, MOST_HELD),
    hasBefore: window.has_before,
    hasAfter: before.hasAfter || lines.length > MOST_HELD,
    prepended: window.items.length,
  };
}
