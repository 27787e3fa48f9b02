/** An act on all runs of a query, step by step, each noted in the address as soon as it is done. */

import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';

import { type BulkStep, cancelRuns, retryRuns } from '../api/generated/client.ts';

/** What each of the runs then is. */
export const VERBS = {
  cancel: 'told to stop',
  retry: 'launched again',
  'retry-failed': 'launched again',
} as const;
export type Verb = keyof typeof VERBS;

/** How far it is, as the address holds it. */
export interface Way {
  readonly do?: Verb | undefined;
  /** Runs that came later are left alone; undefined before it begins. */
  readonly before?: string | undefined;
  /** Where the next step goes on; undefined at the beginning, `end` when there is none. */
  readonly after?: string | undefined;
  readonly looked?: number | undefined;
  readonly done?: number | undefined;
  readonly refused?: number | undefined;
}

const PAGE = 100;
export const END = 'end';

export function useBulkAct(q: string, onStep: (way: Way) => void) {
  const cache = useQueryClient();
  const [isWorking, setWorking] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [refused, setRefused] = useState<BulkStep['refused']>([]);
  const isStopped = useRef(false);
  // Whoever leaves the page stops it, and is not called back by what it still hears.
  const isGone = useRef(false);
  useEffect(() => {
    isGone.current = false;
    return () => void (isGone.current = true);
  }, []);

  const run = async (from: Way, reason: string) => {
    isStopped.current = false;
    setProblem(undefined);
    setWorking(true);
    try {
      let way = from;
      onStep(way);
      do {
        const step = await take(q, way, reason);
        setRefused((all) => [...all, ...step.refused]);
        way = {
          ...way,
          after: step.next ?? END,
          looked: (way.looked ?? 0) + step.matched,
          done: (way.done ?? 0) + step.done,
          refused: (way.refused ?? 0) + step.refused.length,
        };
        if (isGone.current) return;
        onStep(way);
      } while (way.after !== END && !isStopped.current);
    } catch (error) {
      setProblem(error);
    } finally {
      setWorking(false);
      void cache.invalidateQueries();
    }
  };
  return { run, isWorking, problem, refused, stop: () => void (isStopped.current = true) };
}

function take(q: string, { do: verb, before = '', after }: Way, reason: string): Promise<BulkStep> {
  const body = { q, before, reason, limit: PAGE, ...(after === undefined ? {} : { after }) };
  return verb === 'cancel' || verb === undefined
    ? cancelRuns({ body })
    : retryRuns({ body: { ...body, only_failed: verb === 'retry-failed' } });
}
