/** A run's events and log lines, as a list and as they come. */

import type { RunEvent } from '../../definitions/client.ts';
import type { JsonObject } from '../../definitions/json.ts';
import { connectBlocking } from '../../store/redis.ts';
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
    options.after ? `(${options.after}` : '-',
    '+',
    'COUNT',
    options.limit,
  );
  return (entries as StreamEntry[]).map(toRunEvent);
}

export async function readRunLog(
  engine: Engine,
  runId: string,
  options: { readonly after?: string; readonly limit: number },
): Promise<RunEvent[]> {
  const entries = await engine.redis.xrange(
    engine.keys.runLog(runId),
    options.after ? `(${options.after}` : '-',
    '+',
    'COUNT',
    options.limit,
  );
  return (entries as StreamEntry[]).map(toRunEvent);
}

/** The last lines. */
export async function tailRunLog(engine: Engine, runId: string, limit: number): Promise<RunEvent[]> {
  const entries = await engine.redis.xrevrange(engine.keys.runLog(runId), '+', '-', 'COUNT', limit);
  return (entries as StreamEntry[]).map(toRunEvent).reverse();
}

/** Follows both streams of a run until it has ended or the signal aborts; resolves then. */
export async function followRun(
  engine: Engine,
  runId: string,
  onEvent: (event: RunEvent) => void,
  signal?: AbortSignal,
): Promise<void> {
  const redis = connectBlocking(engine.redisUrl);
  const [events, log] = [engine.keys.runEvents(runId), engine.keys.runLog(runId)];
  const last = new Map([
    [events, '0'],
    [log, '0'],
  ]);
  const stop = () => redis.disconnect();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    for (let ended = false; !ended;) {
      signal?.throwIfAborted();
      const reply = await redis.xread(
        'COUNT',
        500,
        'BLOCK',
        1_000,
        'STREAMS',
        events,
        log,
        last.get(events) ?? '0',
        last.get(log) ?? '0',
      );
      for (const [stream, entries] of (reply ?? []) as [string, StreamEntry[]][]) {
        for (const entry of entries) {
          last.set(stream, entry[0]);
          const event = toRunEvent(entry);
          onEvent(event);
          if (event.type === 'run.ended') ended = true;
        }
      }
      if (!reply && (await engine.redis.exists(engine.keys.run(runId))) === 0) return;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    redis.disconnect();
  }
}
