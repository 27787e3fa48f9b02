/**
 * The log of a process: JSON lines, or readable lines on a terminal, always to stderr. Messages are constant text, what
 * varies goes into fields; secrets that the environment holds are replaced before a line is written.
 */

import { createColors } from 'picocolors';
import { pino } from 'pino';

import type { LogFields, LogLevel, Logger } from '../definitions/context.ts';
import type { Environment } from '../definitions/deployment.ts';
import { capLine, printableLine } from './lines.ts';
import { type Scrub, createScrub } from './scrub.ts';

export interface ProcessLogOptions {
  readonly level: LogLevel | 'silent';
  /** Where the secrets are learnt from. */
  readonly env: Environment;
  /** Readable lines; default: where stderr is a terminal. */
  readonly pretty?: boolean;
  /** Where lines go; default stderr. */
  readonly write?: (line: string) => void;
}

export function createProcessLog(options: ProcessLogOptions): Logger {
  const scrub = createScrub(options.env);
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const pretty = options.pretty ?? process.stderr.isTTY === true;
  const log = pino(
    {
      level: options.level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'message',
      formatters: { level: (level) => ({ level }) },
    },
    { write: (line) => write(pretty ? prettyLine(line, options.write === undefined) : line) },
  );
  const line = (level: LogLevel) => (message: string, fields?: LogFields) =>
    log[level](fields === undefined ? {} : scrubFields(fields, scrub), capLine(scrub(message)));
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}

/** A copy with every text scrubbed; errors become their message, bigints text, circles and what is too long are cut. */
function scrubFields(fields: LogFields, scrub: Scrub): object {
  const above = new WeakSet<object>();
  const text = JSON.stringify(fields, (_key, value: unknown) => {
    if (typeof value === 'string') return scrub(value);
    if (typeof value === 'bigint') return value.toString();
    if (value instanceof Error) return scrub(value.message);
    if (typeof value === 'object' && value !== null) {
      if (above.has(value)) return '[seen]';
      above.add(value);
    }
    return value;
  });
  const line = capLine(text);
  return line === text ? (JSON.parse(text) as object) : { cut: line };
}

function prettyLine(line: string, onTerminal: boolean): string {
  const paint = createColors(onTerminal && (process.env.NO_COLOR ?? '') === '');
  const { level, time, pid: _pid, message, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const name = String(level);
  const label = { error: paint.red, warn: paint.yellow, debug: paint.dim }[name] ?? paint.green;
  const rest = Object.entries(fields)
    .map(([key, value]) => ` ${paint.dim(`${key}=`)}${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('');
  return `${printableLine(`${paint.dim(String(time).slice(11, 23))} ${label(name.padEnd(5))} ${String(message)}${rest}`)}\n`;
}
