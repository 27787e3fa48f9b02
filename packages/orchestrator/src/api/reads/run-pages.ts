/**
 * Live and archived runs as one list: both sides are in the same order, so a page is merged from the two, and its place
 * is the last run shown. History is asked only when a page reaches back to it.
 */

import type { RunSummary } from '../../definitions/client.ts';
import { ServiceError } from '../../definitions/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import { orderOf } from '../../history/archived-query.ts';
import type { ArchivedCount, ArchivedRun, RunArchive, RunPlace } from '../../history/run-archive.ts';
import { type RunPage, countRuns, formatPlace, pageOfRuns, parsePlace } from './run-list.ts';
import type { RunQuery } from './run-query.ts';

interface Page {
  readonly after?: string | undefined;
  readonly limit: number;
}

const ENDED: readonly unknown[] = ['SUCCESS', 'FAILURE', 'CANCELED', undefined];

/** @param onFault is told when history cannot be read: then the list is that of the ledger */
export async function pageOfAllRuns(
  engine: Engine,
  archive: RunArchive,
  query: RunQuery,
  page: Page,
  onFault: (error: ServiceError) => void,
): Promise<RunPage & { readonly total: number | null }> {
  const [live, total, counts] = await Promise.all([
    pageOfRuns(engine, query, page),
    countRuns(engine, query),
    orNone(archive.counts(), onFault),
  ]);
  const fitting = ENDED.includes(query.status) ? counts.filter((one) => fits(query, one)) : [];
  const inAll = total === null ? null : fitting.reduce((sum, { runs }) => sum + runs, total);
  const score = scoreBy(query);
  const bound = live.next === null ? undefined : toRunPlace(live.next);
  const newest = Math.max(
    ...fitting.map((one) => (query.status === undefined ? one.newestCreatedMs : one.newestEndedMs)),
  );
  if (fitting.length === 0 || (bound !== undefined && bound.score > newest)) return { ...live, total: inAll };

  const after = page.after === undefined ? undefined : toRunPlace(page.after);
  const past = await orNone(archive.page(query, after, page.limit + 1), onFault);
  return { ...merge(live, past, page.limit, bound, score), total: inAll };
}

/** Pure. @param bound how far the live side has looked; undefined: to its end */
export function merge(
  live: RunPage,
  past: readonly ArchivedRun[],
  limit: number,
  bound: RunPlace | undefined,
  score: (run: RunSummary) => number,
): RunPage {
  // A crash of the archiver leaves a run on both sides.
  const known = new Set(live.items.map(({ id }) => id));
  const reached = past.filter((one) => !known.has(one.id) && (bound === undefined || isBefore(one, bound)));
  const all = [...live.items.map((run) => ({ id: run.id, score: score(run), run })), ...reached];
  all.sort((a, b) => (isBefore(a, b) ? -1 : 1));
  const shown = all.slice(0, limit);
  const last = shown.at(-1);
  const next =
    all.length > limit && last !== undefined ? formatPlace({ id: last.id, score: String(last.score) }) : live.next;
  return { items: shown.map(({ run }) => run), next };
}

/** Newest first; of one time, by id. */
function isBefore(a: RunPlace, b: RunPlace): boolean {
  return a.score === b.score ? a.id > b.id : a.score > b.score;
}

function scoreBy(query: RunQuery): (run: RunSummary) => number {
  return orderOf(query) === 'created_ms'
    ? (run) => run.createdAt.getTime()
    : (run) => run.endedAt?.getTime() ?? run.createdAt.getTime();
}

function fits({ job, jobs, status }: RunQuery, one: ArchivedCount): boolean {
  return (
    (job === undefined || job === one.job) &&
    (jobs === undefined || jobs.includes(one.job)) &&
    (status === undefined || status === one.status)
  );
}

function toRunPlace(text: string): RunPlace {
  const { id, score } = parsePlace(text);
  return { id, score: Number(score) };
}

async function orNone<T>(answer: Promise<readonly T[]>, onFault: (error: ServiceError) => void): Promise<readonly T[]> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    onFault(error);
    return [];
  }
}
