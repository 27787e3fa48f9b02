/**
 * What user code says while it works: log lines, events and progress of one attempt, buffered and written a few times a
 * second: lines and events to the run's streams in one pipeline, progress by a script, which sums over the run. Lines
 * are capped and scrubbed; the streams are trimmed.
 */

import type { LogFields, LogLevel, Logger } from '../definitions/context.ts';
import type { Attempt } from '../engine/attempt.ts';
import type { Engine } from '../engine/engine.ts';
import { capLine, fieldsToJson } from '../telemetry/lines.ts';
import { scrubJson } from '../telemetry/scrub.ts';

export interface RunLog extends Logger {
  event(name: string, fields: LogFields): void;
  progress(done: number, total: number, note: string): void;
  /** Writes what is buffered; never throws, a log is not worth an attempt. */
  flush(): Promise<void>;
}

const FLUSH_MS = 250;
const MAX_EVENTS_PER_RUN = 20_000;

interface Progress {
  readonly done: number;
  readonly total: number;
  readonly note: string;
}

type Entry = readonly [stream: 'log' | 'event', level: string, text: string, fields: string, at: number];

export function createRunLog(engine: Engine, attempt: Attempt, scrub: (text: string) => string): RunLog {
  let buffer: Entry[] = [];
  let progress: Progress | undefined;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  const fieldsOf = (fields: LogFields) => capLine(scrubJson(scrub, fieldsToJson(fields)));
  const add = (entry: Entry) => {
    buffer.push(entry);
    timer ??= setTimeout(() => void flush(), FLUSH_MS);
  };
  const write = async (entries: readonly Entry[], latest: Progress | undefined) => {
    const pipeline = engine.redis.pipeline();
    const unit = attempt.id;
    for (const [stream, level, text, fields, at] of entries) {
      if (stream === 'log') {
        pipeline.xadd(
          engine.keys.runLog(attempt.runId),
          'MAXLEN',
          '~',
          engine.settings.runLogLines,
          '*',
          'l',
          level,
          'm',
          text,
          'f',
          fields,
          'u',
          unit,
          'at',
          at,
        );
      } else {
        pipeline.xadd(
          engine.keys.runEvents(attempt.runId),
          'MAXLEN',
          '~',
          MAX_EVENTS_PER_RUN,
          '*',
          't',
          text,
          'd',
          fields,
          'u',
          unit,
          'at',
          at,
        );
      }
    }
    await pipeline.exec();
    if (latest !== undefined) await engine.script('progress', attempt.id, latest.done, latest.total, latest.note);
  };
  const flush = async () => {
    clearTimeout(timer);
    timer = undefined;
    const [entries, latest] = [buffer, progress];
    buffer = [];
    progress = undefined;
    if (entries.length > 0 || latest !== undefined)
      writing = writing.then(() => write(entries, latest)).catch(() => {});
    await writing;
  };
  const line =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) =>
      add(['log', level, capLine(scrub(String(message))), fieldsOf(fields), Date.now()]);

  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    event: (name, fields) => add(['event', 'info', scrub(name).slice(0, 200), fieldsOf(fields), Date.now()]),
    progress(done, total, note) {
      progress = { done, total, note: scrub(note).slice(0, 200) };
      timer ??= setTimeout(() => void flush(), FLUSH_MS);
    },
    flush,
  };
}
