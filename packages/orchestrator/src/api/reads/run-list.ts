/** Lists of runs by index and position: newest first, stable while runs come and go, never a scan without an end. */

import type { RunSummary } from '../../definitions/client.ts';
import type { RunStatus } from '../../definitions/sensor.ts';
import type { Engine } from '../../engine/engine.ts';
import { readSummaries } from '../../engine/reads/runs.ts';
import { RequestInvalidError } from '../errors.ts';
import { type RunQuery, isSelective, matches } from './run-query.ts';

export interface RunPage {
  readonly items: readonly RunSummary[];
  readonly next: string | null;
}

/**
 * Runs looked at for one page when a filter has no index: a page may be short, `next` goes on. Measured over 1,000,000
 * runs: about a tenth of a millisecond each.
 */
const SCAN_LIMIT = 2_000;
const BATCH = 500;

export async function pageOfRuns(
  engine: Engine,
  query: RunQuery,
  page: { readonly after?: string | undefined; readonly limit: number },
): Promise<RunPage> {
  const index = indexOf(engine, query);
  let place = page.after === undefined ? undefined : parsePlace(page.after);
  const selective = isSelective(query) || isShared(query.status);
  const items: RunSummary[] = [];
  for (let looked = 0; looked < SCAN_LIMIT;) {
    const size = selective ? BATCH : page.limit - items.length + 1;
    const entries = await older(engine, index, place, size);
    if (entries.length === 0) return { items, next: null };
    const wanted = await filter(engine, query, entries);
    for (const entry of entries) {
      if (wanted.has(entry.id)) {
        if (items.length === page.limit) return { items: items, next: formatPlace(place) };
        items.push(wanted.get(entry.id) as RunSummary);
      }
      place = entry;
    }
    looked += entries.length;
    if (entries.length < size) return { items, next: null };
  }
  return { items, next: formatPlace(place) };
}

/** How many, when an index alone tells; null when only looking at each would. */
export async function countRuns(engine: Engine, query: RunQuery): Promise<number | null> {
  const { status, job, ...rest } = query;
  if (isSelective(rest) || (status !== undefined && job !== undefined) || isShared(status)) return null;
  return engine.redis.zcard(indexOf(engine, query));
}

/** Runs that are counted one by one, because no index tells how many they are: so many at most, and for so long. */
export const MOST_COUNTED = 10_000;
const COUNT_FOR_MS = 4_000;
export const COUNTED_PAGE = 500;

/** Page by page, newest first, until there are no more or the bounds are reached; `isLast`: there are no more. */
export async function* countedRuns(
  engine: Engine,
  query: RunQuery,
): AsyncGenerator<{ readonly runs: readonly RunSummary[]; readonly isLast: boolean }> {
  let counted = 0;
  let after: string | undefined;
  for (const deadline = Date.now() + COUNT_FOR_MS; ;) {
    const page = await pageOfRuns(engine, query, { after, limit: COUNTED_PAGE });
    counted += page.items.length;
    after = page.next ?? undefined;
    yield { runs: page.items, isLast: after === undefined };
    if (after === undefined || counted >= MOST_COUNTED || Date.now() > deadline) return;
  }
}

/** The last one of a list that an index alone tells. */
export async function lastOfRuns(engine: Engine, query: RunQuery): Promise<RunSummary | undefined> {
  const [run] = await readSummaries(engine, await engine.redis.zrange(indexOf(engine, query), 0, '0'));
  return run;
}

/** An index that holds runs of other statuses too. */
function isShared(status: RunStatus | undefined): boolean {
  return status !== undefined && statusIndex(status) === 'ACTIVE';
}

interface Place {
  readonly id: string;
  readonly score: string;
}

function indexOf(engine: Engine, query: Pick<RunQuery, 'status' | 'job'>): string {
  if (query.status !== undefined) return engine.keys.runsByStatus(statusIndex(query.status));
  return query.job === undefined ? engine.keys.runs : engine.keys.runsOfJob(query.job);
}

/** Entries after a place. By rank, because a thousand runs of one tick share a score; by score when the run has moved. */
async function older(engine: Engine, index: string, place: Place | undefined, size: number): Promise<Place[]> {
  const { redis } = engine;
  if (place === undefined) return toPlaces(await redis.zrevrange(index, 0, size - 1, 'WITHSCORES'));
  const [rank, score] = await Promise.all([redis.zrevrank(index, place.id), redis.zscore(index, place.id)]);
  if (rank !== null && score === place.score)
    return toPlaces(await redis.zrevrange(index, rank + 1, rank + size, 'WITHSCORES'));
  const found = toPlaces(
    await redis.zrevrangebyscore(index, place.score, '-inf', 'WITHSCORES', 'LIMIT', 0, size + BATCH),
  );
  return found.filter((one) => one.score !== place.score || one.id < place.id).slice(0, size);
}

function toPlaces(flat: readonly string[]): Place[] {
  return Array.from({ length: flat.length / 2 }, (_, i) => ({ id: flat[2 * i] ?? '', score: flat[2 * i + 1] ?? '0' }));
}

async function filter(engine: Engine, query: RunQuery, entries: readonly Place[]): Promise<Map<string, RunSummary>> {
  const summaries = await readSummaries(
    engine,
    entries.map(({ id }) => id),
  );
  const keysOf = query.partition === undefined && query.text === undefined ? undefined : await partsOf(engine, entries);
  return new Map(summaries.filter((run) => matches(query, run, keysOf?.get(run.id) ?? '')).map((run) => [run.id, run]));
}

/** The partition lists of runs as they are kept: JSON text. */
async function partsOf(engine: Engine, entries: readonly Place[]): Promise<Map<string, string>> {
  const pipeline = engine.redis.pipeline();
  for (const { id } of entries) pipeline.hget(engine.keys.run(id), 'parts');
  const replies = (await pipeline.exec()) ?? [];
  return new Map(entries.map(({ id }, i) => [id, (replies[i]?.[1] as string | null) ?? '']));
}

export function formatPlace(place: Place | undefined): string | null {
  return place === undefined ? null : Buffer.from(`${place.score}|${place.id}`).toString('base64url');
}

export function parsePlace(text: string): Place {
  const [score, id] = Buffer.from(text, 'base64url').toString().split('|');
  if (score === undefined || id === undefined || !/^\d{1,16}$/.test(score) || !/^[\w.-]{1,60}$/.test(id))
    throw new RequestInvalidError('query.after: is not a `next` of an earlier page.');
  return { score, id };
}

/** The ledger's indexes of runs by status: those under way share one. */
export const RUN_INDEXES = ['QUEUED', 'ACTIVE', 'SUCCESS', 'FAILURE', 'CANCELED'] as const;

function statusIndex(status: RunStatus): (typeof RUN_INDEXES)[number] {
  return status === 'STARTING' || status === 'STARTED' || status === 'CANCELING' ? 'ACTIVE' : status;
}

export const RUN_STATUSES = [
  'QUEUED',
  'STARTING',
  'STARTED',
  'SUCCESS',
  'FAILURE',
  'CANCELING',
  'CANCELED',
] as const satisfies readonly RunStatus[];
