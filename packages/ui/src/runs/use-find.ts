/** Finding in the whole of a log, however long: the server looks for a while and says how far it came; this goes on. */

import { useEffect, useState } from 'react';

import { findInRunLog } from '../api/generated/client.ts';
import type { Level } from './use-log.ts';

interface Hit {
  readonly id: string;
  /** 1-based, in the whole log. */
  readonly line: number;
}

export interface Found {
  readonly hits: number;
  /** The first of them: what one can step through. */
  readonly items: readonly Hit[];
  readonly lines: number;
  readonly isDone: boolean;
  readonly error: unknown;
}

const MOST_ITEMS = 5_000;
const PAGE = 500;
const NOTHING: Found = { hits: 0, items: [], lines: 0, isDone: false, error: undefined };

export function useFind(id: string, q: string, level: Level | undefined): Found {
  const [found, setFound] = useState<Found>(NOTHING);
  useEffect(() => {
    setFound(NOTHING);
    if (q === '') return undefined;
    const stop = new AbortController();
    const look = async () => {
      let state = NOTHING;
      let after: string | undefined;
      do {
        const more = { ...(level ? { level } : {}), ...(after === undefined ? {} : { after }) };
        const step = await findInRunLog({ id, q, limit: PAGE, ...more }, stop.signal);
        const { lines } = state;
        const items = step.items.map((hit) => ({ id: hit.id, line: lines + hit.line }));
        after = step.next ?? undefined;
        state = {
          hits: state.hits + step.hits,
          items: [...state.items, ...items].slice(0, MOST_ITEMS),
          lines: lines + step.lines,
          isDone: after === undefined,
          error: undefined,
        };
        setFound(state);
      } while (after !== undefined);
    };
    look().catch((error: unknown) => {
      if (!stop.signal.aborted) setFound((before) => ({ ...before, isDone: true, error }));
    });
    return () => stop.abort();
  }, [id, q, level]);
  return found;
}
