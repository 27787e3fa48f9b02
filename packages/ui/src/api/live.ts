/**
 * Changes as they happen. One stream of events for all tabs of a browser: the tab that holds the lock reads it and
 * passes it on, because a browser allows only about six connections to a site over HTTP/1.1. An event only names what
 * changed; queries that show it are read anew, at most once a second.
 */

import type { QueryClient } from '@tanstack/react-query';

export type LiveState = 'connecting' | 'live' | 'reconnecting';

interface Change {
  readonly type: string;
  readonly run_id: string | null;
}
type Message =
  | { readonly kind: 'state'; readonly state: LiveState }
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'reset' }
  | { readonly kind: 'ask' };

const LOCK = 'skein.live';
const READ_EVERY_MS = 1_000;

const RUNS =
  'listRuns getRun listRunPartitions listRunEvents explainRun getOverview listFailures listAssets getAsset getPartitionCounts listPartitionRows searchPartitions getPartition readPartitionValues tiles getSystem listPools listRunLimits listJobs';
const SENSORS =
  'listSensors getSensor listTicks getTick getTickTimeline getCursor listCursorHistory listSchedules getSchedule listScheduleTicks getOverview';
const BACKFILLS = 'listBackfills getBackfill getBackfillPace getOverview';

/** Operations whose answers may differ after an event of a type, by what stands before its dot. */
const CONCERNS: Readonly<Record<string, string>> = {
  run: `${RUNS} ${BACKFILLS}`,
  unit: RUNS,
  attempt: RUNS,
  partition: RUNS,
  partitions: RUNS,
  tick: SENSORS,
  sensor: SENSORS,
  schedule: SENSORS,
  cursor: SENSORS,
  backfill: BACKFILLS,
};

export interface Live {
  readonly state: LiveState;
  subscribe(listener: () => void): () => void;
}

export function startLive(cache: QueryClient): Live {
  const listeners = new Set<() => void>();
  const channel = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel(LOCK);
  const live = {
    state: 'connecting' as LiveState,
    subscribe(listener: () => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const reread = collect(cache);
  const take = (message: Message) => {
    if (message.kind === 'change') reread(message.change);
    if (message.kind === 'reset') void cache.invalidateQueries();
    if (message.kind === 'state' && message.state !== live.state) {
      // What was missed while the server was away is read anew.
      if (live.state === 'reconnecting' && message.state === 'live') void cache.invalidateQueries();
      live.state = message.state;
      for (const listener of listeners) listener();
    }
  };
  const tell = (message: Message) => {
    take(message);
    channel?.postMessage(message);
  };
  if (channel) {
    channel.onmessage = ({ data }: MessageEvent<Message>) => take(data);
    channel.postMessage({ kind: 'ask' } satisfies Message);
  }
  lead(() => {
    if (channel)
      channel.onmessage = ({ data }: MessageEvent<Message>) => {
        if (data.kind === 'ask') channel.postMessage({ kind: 'state', state: live.state } satisfies Message);
      };
    listen(tell);
  });
  return live;
}

/** Runs `begin` in one tab at a time; where locks are forbidden (plain HTTP), every tab has its own stream. */
function lead(begin: () => void): void {
  if (!('locks' in navigator)) return begin();
  void navigator.locks.request(LOCK, () => {
    begin();
    return new Promise<never>(() => {});
  });
}

function listen(tell: (message: Message) => void): void {
  const source = new EventSource('/api/v1/events');
  const over = new AbortController();
  const anew = () => {
    if (over.signal.aborted) return;
    over.abort();
    source.close();
    tell({ kind: 'state', state: 'reconnecting' });
    listen(tell);
  };
  // A stream whose network is gone says nothing for minutes. That the network changed says nothing of this server
  // either, which may be on this machine: opening the stream anew finds out.
  for (const event of ['offline', 'online']) window.addEventListener(event, anew, { signal: over.signal });
  source.addEventListener('open', () => tell({ kind: 'state', state: 'live' }));
  source.addEventListener('error', () => {
    tell({ kind: 'state', state: 'reconnecting' });
    // A refusal (an expired session, a proxy's error) ends an EventSource for good.
    if (source.readyState === EventSource.CLOSED) setTimeout(anew, 3 * READ_EVERY_MS);
  });
  source.addEventListener('reset', () => tell({ kind: 'reset' }));
  source.addEventListener('change', ({ data }: MessageEvent<string>) => {
    tell({ kind: 'change', change: JSON.parse(data) as Change });
  });
}

function collect(cache: QueryClient): (change: Change) => void {
  const ids = new Set<string>();
  const runs = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    timer = undefined;
    const [operations, changed] = [new Set(ids), new Set(runs)];
    ids.clear();
    runs.clear();
    void cache.invalidateQueries({
      predicate: ({ queryKey: [id, args] }) => {
        if (typeof id !== 'string' || !operations.has(id)) return false;
        const run = /^(getRun|listRun|explainRun)/.test(id) ? (args as { id?: string } | undefined)?.id : undefined;
        return run === undefined || changed.has(run);
      },
    });
  };
  return ({ type, run_id: run }) => {
    const concerned = CONCERNS[type.split('.')[0] ?? ''];
    if (concerned === undefined) return;
    for (const id of concerned.split(' ')) ids.add(id);
    if (run !== null) runs.add(run);
    timer ??= setTimeout(flush, READ_EVERY_MS);
  };
}
