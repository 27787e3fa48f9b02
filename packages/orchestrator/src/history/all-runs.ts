/** One run, live or archived: the ledger is asked first, then history. */

import type { RunDetail, RunEvent } from '../definitions/client.ts';
import { NotFoundError } from '../definitions/errors.ts';
import type { Engine } from '../engine/engine.ts';
import { countRunLog, readRunEvents, readRunLog, readRunLogBefore, tailRunLog } from '../engine/reads/run-events.ts';
import { readRun } from '../engine/reads/runs.ts';
import type { RunArchive } from './run-archive.ts';

interface Page {
  readonly after?: string;
  readonly limit: number;
}

export interface AllRuns {
  /** @throws NotFoundError */
  read(id: string): Promise<RunDetail>;
  /** Undefined when no run has the id. */
  jobOf(id: string): Promise<string | undefined>;
  events(id: string, page: Page): Promise<RunEvent[]>;
  log(id: string, page: Page): Promise<RunEvent[]>;
  /** The lines before one, or the last ones; oldest first. */
  logBefore(id: string, page: { readonly before?: string | undefined; readonly limit: number }): Promise<RunEvent[]>;
  countLog(id: string): Promise<number>;
  /** The last lines of the log. */
  tail(id: string, limit: number): Promise<RunEvent[]>;
}

export function createAllRuns(engine: Engine, archive: RunArchive): AllRuns {
  const isLive = async (id: string) => (await engine.redis.exists(engine.keys.run(id))) === 1;
  return {
    async read(id) {
      try {
        return await readRun(engine, id);
      } catch (error) {
        const archived = error instanceof NotFoundError ? await archive.read(id) : undefined;
        if (archived === undefined) throw error;
        return archived;
      }
    },
    jobOf: async (id) => (await engine.redis.hget(engine.keys.run(id), 'job')) ?? (await archive.read(id))?.job,
    events: async (id, page) => ((await isLive(id)) ? readRunEvents(engine, id, page) : pastEvents(archive, id, page)),
    log: async (id, page) => ((await isLive(id)) ? readRunLog(engine, id, page) : archive.events(id, 'log', page)),
    logBefore: async (id, page) =>
      (await isLive(id)) ? readRunLogBefore(engine, id, page) : archive.events(id, 'log', { ...page, last: true }),
    countLog: async (id) => ((await isLive(id)) ? countRunLog(engine, id) : archive.countLog(id)),
    tail: async (id, limit) =>
      (await isLive(id)) ? tailRunLog(engine, id, limit) : archive.events(id, 'log', { limit, last: true }),
  };
}

/** The end is made from the record, as it is for a live run, whether or not its stream had one. */
async function pastEvents(archive: RunArchive, id: string, page: Page): Promise<RunEvent[]> {
  const [run, read] = await Promise.all([archive.read(id), archive.events(id, 'event', page)]);
  const events = read.filter(({ type }) => type !== 'run.ended');
  if (run?.endedAt === undefined || read.length === page.limit || page.after?.endsWith('-end') === true) return events;
  const fields = { status: run.status, job: run.job, reason: run.endReason ?? '' };
  return [...events, { id: `${run.endedAt.getTime()}-end`, type: 'run.ended', at: run.endedAt, fields }];
}
