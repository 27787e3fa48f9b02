/**
 * What a sensor's code says while it is evaluated: passed on to the process's log, and kept with the tick, scrubbed and
 * bounded, because who asks why nothing was launched reads the tick and not the worker's log.
 */

import type { LogFields, LogLevel, Logger } from '../definitions/context.ts';
import { capLine, fieldsToJson } from '../telemetry/lines.ts';
import { scrubJson } from '../telemetry/scrub.ts';

const MAX_LINES = 100;
const MAX_CHARACTERS = 8_192;

export interface TickLine {
  /** ms since the tick was begun. */
  readonly at: number;
  readonly level: string;
  readonly text: string;
}

export interface TickLog {
  readonly log: Logger;
  /** JSON of the lines; empty when there are none. */
  text(): string;
}

export function createTickLog(log: Logger, scrub: (text: string) => string): TickLog {
  const lines: TickLine[] = [];
  const began = performance.now();
  let [characters, dropped] = [0, 0];
  const keep = (level: LogLevel, message: string, fields?: LogFields) => {
    const hasFields = fields !== undefined && Object.keys(fields).length > 0;
    const facts = hasFields ? ` ${scrubJson(scrub, fieldsToJson(fields))}` : '';
    const text = capLine(`${scrub(String(message))}${facts}`);
    characters += text.length;
    if (lines.length >= MAX_LINES || characters > MAX_CHARACTERS) return void dropped++;
    lines.push({ at: Math.round(performance.now() - began), level, text });
  };
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
    log[level](message, fields);
    keep(level, message, fields);
  };
  return {
    log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    text() {
      if (lines.length === 0) return '';
      const last: TickLine = { at: lines.at(-1)?.at ?? 0, level: 'warn', text: `${dropped} more lines were not kept` };
      return JSON.stringify(dropped === 0 ? lines : [...lines, last]);
    },
  };
}
