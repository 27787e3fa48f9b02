/** The one maker of Redis keys on the TypeScript side; `lua/include/base.lua` makes the same names in scripts. */

export interface Keys {
  readonly prefix: string;
  /** Facts about the ledger itself: state version. */
  readonly meta: string;
  readonly events: string;
  readonly stats: string;
  readonly runs: string;
  readonly outbox: string;
  /** Of the outbox, those that nobody was rung for. */
  readonly ready: string;
  readonly leases: string;
  readonly delayed: string;
  readonly cancelling: string;
  readonly pools: string;
  readonly queues: string;
  readonly sensors: string;
  readonly due: string;
  /** Of sensors that tell it: how much of their source lies before them, and since when it grows. */
  readonly lags: string;
  /** Failed runs that their job's policy runs again, by when. */
  readonly retries: string;
  /** Sensors with a tick under way, by when it was last looked at. */
  readonly openTicks: string;
  readonly workers: string;
  /** When anybody’s pulse was whole, to the second. */
  readonly pulse: string;
  readonly audit: string;
  run(id: string): string;
  runParts(id: string): string;
  runEvents(id: string): string;
  runLog(id: string): string;
  runUnits(id: string): string;
  unit(id: string): string;
  runsOfJob(job: string): string;
  runsByStatus(status: string): string;
  openRuns(job: string): string;
  states(asset: string, row: string): string;
  rows(asset: string): string;
  counts(asset: string): string;
  rowCounts(asset: string, row: string): string;
  last(asset: string, row: string): string;
  holders(asset: string): string;
  waiters(asset: string, key: string): string;
  pool(name: string): string;
  /** Runs that hold a slot of a limit of runs. */
  slotHolders(slot: string): string;
  /** Runs that stand aside for it. */
  aside(slot: string): string;
  /** The slots that runs stand aside for, with the rule of each. */
  readonly asideSlots: string;
  sensor(name: string): string;
  cursorHistory(name: string): string;
  ticks(name: string): string;
  tick(id: string): string;
  backfill(id: string): string;
  backfillActive(id: string): string;
  /** Runs that ended, by minute since the beginning and status. */
  backfillPace(id: string): string;
  /** What people keep by name: `views`, `presets:JOB`. */
  saved(kind: string): string;
  readonly backfills: string;
  /** Backfills that have partitions still to be asked for. */
  readonly liveBackfills: string;
}

/** @param prefix holds a hash tag, such as `{skein}`, so that all keys share one slot */
export function createKeys(prefix: string): Keys {
  const k = (...parts: string[]) => [prefix, ...parts].join(':');
  return {
    prefix,
    meta: k('meta'),
    events: k('events'),
    stats: k('stats'),
    runs: k('runs'),
    outbox: k('outbox'),
    ready: k('ready'),
    leases: k('leases'),
    delayed: k('delayed'),
    cancelling: k('cancelling'),
    pools: k('pools'),
    queues: k('queues'),
    sensors: k('sensors'),
    due: k('due'),
    lags: k('lags'),
    retries: k('retries'),
    openTicks: k('open_ticks'),
    workers: k('workers'),
    pulse: k('pulse'),
    audit: k('audit'),
    backfills: k('backfills'),
    liveBackfills: k('bf:live'),
    run: (id) => k('run', id),
    runParts: (id) => k('run', id, 'parts'),
    runEvents: (id) => k('run', id, 'ev'),
    runLog: (id) => k('run', id, 'log'),
    runUnits: (id) => k('run', id, 'u'),
    unit: (id) => k('u', id),
    runsOfJob: (job) => k('runs', 'job', job),
    runsByStatus: (status) => k('runs', 'st', status),
    openRuns: (job) => k('open', job),
    states: (asset, row) => k('st', asset, row),
    rows: (asset) => k('rows', asset),
    counts: (asset) => k('cnt', asset),
    rowCounts: (asset, row) => k('cntr', asset, row),
    last: (asset, row) => k('last', asset, row),
    holders: (asset) => k('held', asset),
    waiters: (asset, key) => k('wait', asset, key),
    pool: (name) => k('pool', name),
    slotHolders: (slot) => k('act', slot),
    aside: (slot) => k('aside', slot),
    asideSlots: k('aside'),
    sensor: (name) => k('sensor', name),
    cursorHistory: (name) => k('sensor', name, 'hist'),
    ticks: (name) => k('ticks', name),
    tick: (id) => k('tick', id),
    backfill: (id) => k('bf', id),
    backfillActive: (id) => k('bf', id, 'act'),
    backfillPace: (id) => k('bf', id, 'pace'),
    saved: (kind) => k('saved', kind),
  };
}
