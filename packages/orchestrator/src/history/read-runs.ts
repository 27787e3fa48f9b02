/** Runs out of the ledger as records of history, in pipelines of bounded size; a run that is gone meanwhile is left out. */

import type { Engine } from '../engine/engine.ts';
import type { StreamEntry } from '../engine/reads/run-events.ts';
import { type RunRecord, toRunRecord } from './run-record.ts';

/** Runs in one pipeline. */
const PAGE = 100;
/** Entries of a stream in one reply; a line may have 64 KB. */
const STREAM_PAGE = 500;
/** What one run may bring along; a string of V8 ends at 512 MB, and the rest of such a log says nothing new. */
const MAX_STREAM_BYTES = 64 * 1_048_576;

/** In the order of the ids. Events and log lines are read only where they are asked for. */
export async function* readRunRecords(
  engine: Engine,
  ids: readonly string[],
  withEvents: boolean,
): AsyncGenerator<RunRecord> {
  for (let at = 0; at < ids.length; at += PAGE) {
    const page = ids.slice(at, at + PAGE);
    const replies = await readPage(engine, page, withEvents);
    for (const [i, id] of page.entries()) {
      const [fields = {}, parts = {}, events = [], log = []] = (replies[i] ?? []) as [
        Record<string, string>?,
        Record<string, string>?,
        StreamEntry[]?,
        StreamEntry[]?,
      ];
      if (fields.id === undefined) continue;
      yield toRunRecord(
        fields,
        parts,
        await readOn(engine, engine.keys.runEvents(id), events),
        await readOn(engine, engine.keys.runLog(id), log),
      );
    }
  }
}

async function readPage(engine: Engine, ids: readonly string[], withEvents: boolean): Promise<unknown[][]> {
  const { keys } = engine;
  const pipeline = engine.redis.pipeline();
  for (const id of ids) {
    pipeline.hgetall(keys.run(id)).hgetall(keys.runParts(id));
    if (withEvents) {
      pipeline.xrange(keys.runEvents(id), '-', '+', 'COUNT', STREAM_PAGE);
      pipeline.xrange(keys.runLog(id), '-', '+', 'COUNT', STREAM_PAGE);
    }
  }
  const replies = ((await pipeline.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
  const width = withEvents ? 4 : 2;
  return ids.map((_id, i) => replies.slice(i * width, (i + 1) * width));
}

/** The rest of a stream whose first page is full. */
async function readOn(engine: Engine, key: string, first: readonly StreamEntry[]): Promise<StreamEntry[]> {
  const entries = [...first];
  let bytes = sizeOf(first);
  let page = first;
  while (page.length === STREAM_PAGE) {
    const last = page.at(-1)?.[0] ?? '';
    if (bytes > MAX_STREAM_BYTES) {
      const left = (await engine.redis.xlen(key)) - entries.length;
      entries.push([`${last}-cut`, ['t', 'history.cut', 'at', last.split('-')[0] ?? '0', 'd', `{"left_out":${left}}`]]);
      break;
    }
    page = (await engine.redis.xrange(key, `(${last}`, '+', 'COUNT', STREAM_PAGE)) as StreamEntry[];
    entries.push(...page);
    bytes += sizeOf(page);
  }
  return entries;
}

function sizeOf(entries: readonly StreamEntry[]): number {
  return entries.reduce((sum, [, flat]) => sum + flat.reduce((n, text) => n + text.length, 0), 0);
}
