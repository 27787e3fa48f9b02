/**
 * Finding in the whole of a log, however long: the server looks for a while and says how far it came; this goes on, and
 * while the run works it looks at what comes.
 */

import { useEffect, useState } from 'react';

import { findInRunLog } from '../api/generated/client.ts';
import type { LogWanted } from './use-log.ts';

interface Hit {
  readonly id: string;
  /** 1-based, in the whole log. */
  readonly line: number;
}

/** About a thousand lines: where they end, and how many of them are hits. */
export interface Stretch {
  readonly last: string;
  readonly lines: number;
  readonly hits: number;
}

export interface Found {
  readonly hits: number;
  /** The first of them: what one can step through. */
  readonly items: readonly Hit[];
  readonly stretches: readonly Stretch[];
  readonly lines: number;
  readonly isDone: boolean;
  readonly error: unknown;
}

const MOST_ITEMS = 5_000;
const PAGE = 500;
const AGAIN_MS = 2_000;
const NOTHING: Found = { hits: 0, items: [], stretches: [], lines: 0, isDone: false, error: undefined };

/** @param wanted undefined looks for nothing; the same object as long as the same is looked for */
export function useFind(id: string, wanted: LogWanted | undefined, isWorking: boolean): Found {
  const [found, setFound] = useState<Found>(NOTHING);
  useEffect(() => {
    setFound(NOTHING);
    if (wanted === undefined) return undefined;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let state = NOTHING;
    const look = async () => {
      let next: string | undefined;
      do {
        const after = state.stretches.at(-1)?.last;
        const step = await findInRunLog(
          { id, ...wanted, limit: PAGE, ...(after === undefined ? {} : { after }) },
          stop.signal,
        );
        next = step.next ?? undefined;
        state = { ...grown(state, step), isDone: next === undefined };
        setFound(state);
      } while (next !== undefined);
      if (isWorking) timer = setTimeout(go, AGAIN_MS);
    };
    const go = () =>
      void look().catch((error: unknown) => {
        if (!stop.signal.aborted) setFound((before) => ({ ...before, isDone: true, error }));
      });
    go();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [id, wanted, isWorking]);
  return found;
}

type Step = Pick<Found, 'hits' | 'items' | 'stretches' | 'lines'>;

function grown(state: Found, step: Step): Found {
  if (step.lines === 0) return state;
  const items = step.items.map((hit) => ({ id: hit.id, line: state.lines + hit.line }));
  return {
    ...state,
    hits: state.hits + step.hits,
    items: state.items.length < MOST_ITEMS ? [...state.items, ...items].slice(0, MOST_ITEMS) : state.items,
    stretches: [...state.stretches, ...step.stretches],
    lines: state.lines + step.lines,
  };
}
