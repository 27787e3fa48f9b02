/**
 * Looking along a run's log for lines of a level, or that hold a text, a thousand lines at a time: Redis sifts them, so
 * that of a million lines only the wanted ones travel. The same question of lines that lie elsewhere is `sift`.
 */

import type { RunEvent } from '../../definitions/client.ts';
import type { Engine } from '../engine.ts';
import { type StreamEntry, toRunEvent } from './run-events.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevelName = (typeof LOG_LEVELS)[number];

/** Looked at in one script: it holds everybody else up for a millisecond or two. */
export const LINES_A_LOOK = 1_000;

export interface Wanted {
  /** This level and above. */
  readonly level?: LogLevelName | undefined;
  /** In the message or its fields; letters in any case. */
  readonly text?: string | undefined;
}

export interface LogPlace {
  /** A line: what is looked at begins after it, or before it; undefined begins at the end that lies behind. */
  readonly from: string | undefined;
  readonly isBackwards: boolean;
}

export interface LogLook {
  /** Fewer than `LINES_A_LOOK` when the log ends there. */
  readonly looked: number;
  /** The last line that was looked at, wanted or not. */
  readonly last: string | undefined;
  /** How many are wanted, of which `lines` has the first. */
  readonly wanted: number;
  readonly lines: readonly { readonly place: number; readonly event: RunEvent }[];
}

export async function lookInRunLog(
  engine: Engine,
  runId: string,
  { from, isBackwards }: LogPlace,
  wanted: Wanted,
  most: number,
): Promise<LogLook> {
  const direction = isBackwards ? 'backwards' : 'forwards';
  const levels = wanted.level === undefined ? '' : levelsFrom(wanted.level).join(' ');
  const texts = wanted.text === undefined ? [] : spellingsOf(wanted.text);
  const reply = await engine.script(
    'look-in-log',
    ...[runId, direction, from ?? '', LINES_A_LOOK, most, levels, ...texts],
  );
  const [looked, last, count, lines] = reply as [number, string, number, [number, StreamEntry][]];
  return {
    looked,
    last: last === '' ? undefined : last,
    wanted: count,
    lines: lines.map(([place, entry]) => ({ place, event: toRunEvent(entry) })),
  };
}

/** The same of lines that were read otherwise, in the order in which they are looked at. */
export function sift(events: readonly RunEvent[], wanted: Wanted, most: number): LogLook {
  const levels = wanted.level === undefined ? undefined : levelsFrom(wanted.level);
  const texts = wanted.text === undefined ? undefined : spellingsOf(wanted.text);
  const lines = events
    .map((event, i) => ({ place: i + 1, event }))
    .filter(
      ({ event }) =>
        (levels === undefined || levels.includes(event.fields.level as LogLevelName)) &&
        (texts === undefined || texts.some((text) => textOf(event).includes(text))),
    );
  return { looked: events.length, last: events.at(-1)?.id, wanted: lines.length, lines: lines.slice(0, most) };
}

const levelsFrom = (level: LogLevelName) => LOG_LEVELS.slice(LOG_LEVELS.indexOf(level));

/** Redis knows only the small letters of English: of the others both spellings are looked for. */
function spellingsOf(text: string): string[] {
  return [...new Set([text.toLowerCase(), smallAscii(text.toUpperCase()), smallAscii(text)])];
}

const smallAscii = (text: string) => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());

function textOf({ fields }: RunEvent): string {
  const { message, fields: rest } = fields;
  return smallAscii(`${typeof message === 'string' ? message : ''} ${JSON.stringify(rest ?? {})}`);
}
