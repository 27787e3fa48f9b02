/** A run's events and log lines, as a list and as they come. */

import type { RunEvent } from '../../definitions/client.ts';
import type { JsonObject } from '../../definitions/json.ts';
import { connectBlocking, endConnection } from '../../store/redis.ts';
import type { Engine } from '../engine.ts';

export type StreamEntry = [id: string, flat: string[]];

/** Events in order; log lines are events of type `log`. */
export function toRunEvent([id, flat]: StreamEntry): RunEvent {
  const f: Record<string, string | undefined> = {};
  for (let i = 0; i + 1 < flat.length; i += 2) f[flat[i] ?? ''] = flat[i + 1];
  const at = new Date(Number(f.at ?? 0));
  if (f.l !== undefined) {
    return { id, type: 'log', at, fields: { level: f.l, message: f.m ?? '', fields: parse(f.f), attempt: f.u } };
  }
  return { id, type: f.t ?? '', at, fields: { ...parse(f.d), ...(f.u === undefined ? {} : { attempt: f.u }) } };
}

function parse(text: string | undefined): JsonObject {
  try {
    return JSON.parse(text ?? '{}') as JsonObject;
  } catch {
    return { text }; // a line that was cut is no JSON any more
  }
}

export async function readRunEvents(
  engine: Engine,
  runId: string,
  options: { readonly after?: string; readonly limit: number },
): Promise<RunEvent[]> {
  const entries = await engine.redis.xrange(
    engine.keys.runEvents(runId),
    afterId(options.after),
    '+',
    'COUNT',
    options.limit,
  );
  const events = (entries as StreamEntry[]).map(toRunEvent).filter(({ type }) => type !== 'run.ended');
  const end =
    entries.length < options.limit && !options.after?.endsWith('-end') ? await endOf(engine, runId) : undefined;
  return end ? [...events, end] : events;
}

/** How many lines are kept. */
export async function countRunLog(engine: Engine, runId: string): Promise<number> {
  return engine.redis.xlen(engine.keys.runLog(runId));
}

/** The last lines. */
export async function tailRunLog(engine: Engine, runId: string, limit: number): Promise<RunEvent[]> {
  const entries = await engine.redis.xrevrange(engine.keys.runLog(runId), '+', '-', 'COUNT', limit);
  return (entries as StreamEntry[]).map(toRunEvent).reverse();
}

function afterId(after: string | undefined): string {
  if (after === undefined) return '-';
  return after.endsWith('-end') ? '+' : `(${after}`;
}

/** The usual run keeps no stream for its end alone: the event is made from its record. Undefined while it goes on. */
async function endOf(engine: Engine, runId: string): Promise<RunEvent | undefined> {
  const [status = null, ended, job, reason] = await engine.redis.hmget(
    engine.keys.run(runId),
    'status',
    'ended',
    'job',
    'end_reason',
  );
  if (!ended) return undefined;
  const fields = { status, job: job ?? '', reason: reason ?? '' };
  return { id: `${ended}-end`, type: 'run.ended', at: new Date(Number(ended)), fields };
}

/** How soon an end is noticed that no stream tells of. */
const LOOK_MS = 100;

/** Follows both streams of a run until it has ended or the signal aborts; resolves then. */
export async function followRun(
  engine: Engine,
  runId: string,
  onEvent: (event: RunEvent) => void,
  signal?: AbortSignal,
): Promise<void> {
  const redis = connectBlocking(engine.redisUrl);
  const streams = [engine.keys.runEvents(runId), engine.keys.runLog(runId)] as const;
  const last = new Map<string, string>(streams.map((stream) => [stream, '0']));
  const stop = () => endConnection(redis);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    for (;;) {
      signal?.throwIfAborted();
      // Looked at before reading: what is read afterwards is then all that there will ever be.
      const end = await endOf(engine, runId);
      const ids = streams.map((stream) => last.get(stream) ?? '0');
      const reply = await (end
        ? redis.xread('COUNT', 500, 'STREAMS', ...streams, ...ids)
        : redis.xread('COUNT', 500, 'BLOCK', LOOK_MS, 'STREAMS', ...streams, ...ids));
      for (const [stream, entries] of (reply ?? []) as [string, StreamEntry[]][]) {
        for (const entry of entries) {
          last.set(stream, entry[0]);
          const event = toRunEvent(entry);
          if (event.type !== 'run.ended') onEvent(event);
        }
      }
      if (reply) continue;
      if (end) return onEvent(end);
      if ((await engine.redis.exists(engine.keys.run(runId))) === 0) return;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    endConnection(redis);
  }
}
