/** One run, live or archived: the ledger is asked first, then history. */

import type { RunDetail, RunEvent } from '../definitions/client.ts';
import { NotFoundError } from '../definitions/errors.ts';
import type { Engine } from '../engine/engine.ts';
import {
  LINES_A_LOOK,
  type LogLook,
  type LogPlace,
  type Wanted,
  lookInRunLog,
  sift,
} from '../engine/reads/look-in-log.ts';
import { countRunLog, readRunEvents, tailRunLog } from '../engine/reads/run-events.ts';
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
  /** Looks at the next lines of the log, away from a place, and gives those that are wanted, at most so many. */
  look(id: string, place: LogPlace, wanted: Wanted, most: number): Promise<LogLook>;
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
    async look(id, place, wanted, most) {
      if (await isLive(id)) return lookInRunLog(engine, id, place, wanted, most);
      const { from, isBackwards } = place;
      const side = isBackwards ? { before: from, last: true } : { after: from };
      const lines = await archive.events(id, 'log', { ...side, limit: LINES_A_LOOK });
      return sift(isBackwards ? lines.toReversed() : lines, wanted, most);
    },
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
