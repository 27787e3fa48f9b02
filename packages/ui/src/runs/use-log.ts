/** The lines of a run's log: read page by page to its end, then asked for more once a second while the run works. */

import { useEffect, useRef, useState } from 'react';

import { type LogLine, readRunLog } from '../api/generated/client.ts';

type Level = 'debug' | 'info' | 'warn' | 'error';

export interface Log {
  readonly lines: readonly LogLine[];
  readonly isFirst: boolean;
  readonly hasMore: boolean;
  readonly error: unknown;
}

const PAGE = 500;
const ASK_EVERY_MS = 1_000;
/** Empty reads after the run's end, because its last lines are written a moment later. */
const LAST_READS = 3;

const NOTHING: Log = { lines: [], isFirst: true, hasMore: true, error: undefined };

export function useLog(id: string, level: Level | undefined, isWorking: boolean): Log {
  const [log, setLog] = useState<Log>(NOTHING);
  const working = useRef(isWorking);
  useEffect(() => {
    working.current = isWorking;
  });

  useEffect(() => {
    const stop = new AbortController();
    let after: string | undefined;
    let readsLeft = LAST_READS;
    setLog(NOTHING);
    const read = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        const more = { ...(level ? { level } : {}), ...(after === undefined ? {} : { after }) };
        const page = await readRunLog({ id, limit: PAGE, ...more }, stop.signal);
        after = page.items.at(-1)?.id ?? after;
        const isEnd = page.items.length < PAGE;
        if (page.items.length > 0) readsLeft = LAST_READS;
        setLog((before) => ({
          lines: page.items.length === 0 ? before.lines : [...before.lines, ...page.items],
          isFirst: false,
          hasMore: !isEnd,
          error: undefined,
        }));
        if (!isEnd) continue;
        if (!working.current && --readsLeft <= 0) return;
        await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
      }
    };
    read().catch((error: unknown) => {
      if (!stop.signal.aborted) setLog((before) => ({ ...before, isFirst: false, error }));
    });
    return () => stop.abort();
  }, [id, level]);
  return log;
}
