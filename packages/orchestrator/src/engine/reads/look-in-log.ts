/**
 * Looking along a run's log for lines of a level, or that hold a text, a thousand lines at a time: Redis sifts them, so
 * that of a million lines only the wanted ones travel. The same question of lines that lie elsewhere is `sift`.
 */

import { setImmediate } from 'node:timers/promises';

import type { RunEvent } from '../../definitions/client.ts';
import type { Engine } from '../engine.ts';
import { type StreamEntry, toRunEvent } from './run-events.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
type LogLevelName = (typeof LOG_LEVELS)[number];

/** Looked at in one script: it holds everybody else up for a millisecond or two. */
export const LINES_A_LOOK = 1_000;

export interface Wanted {
  /** This level and above. */
  readonly level?: LogLevelName | undefined;
  /** In the message or its fields; letters in any case. */
  readonly text?: string | undefined;
  /** Asked of message and fields, `message {"field":1}`. */
  readonly pattern?: LinePattern | undefined;
  /** An attempt's id; with a dot at its end, of all attempts that begin so: `<run>.<step>.` are those of a step. */
  readonly attempt?: string | undefined;
}

/** In time that grows with the line alone, whatever the pattern. */
export interface LinePattern {
  test(text: string): boolean;
}

export interface LogPlace {
  /** A line: what is looked at begins after it, or before it; undefined begins at the end that lies behind. */
  readonly from: string | undefined;
  readonly isBackwards: boolean;
}

export interface LogLook {
  readonly looked: number;
  /** Nothing lies beyond: the log ends, or what remained of it was looked at. */
  readonly isEnd: boolean;
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
  // Redis knows no such patterns: it gives all lines that are wanted otherwise.
  if (wanted.pattern !== undefined) {
    const all = { ...wanted, pattern: undefined };
    const { lines, ...look } = await lookInRunLog(engine, runId, { from, isBackwards }, all, LINES_A_LOOK);
    const matching = await matchingOf(lines, wanted.pattern);
    return { ...look, wanted: matching.length, lines: matching.slice(0, most) };
  }
  const direction = isBackwards ? 'backwards' : 'forwards';
  const levels = wanted.level === undefined ? '' : levelsFrom(wanted.level).join(' ');
  const texts = wanted.text === undefined ? [] : spellingsOf(wanted.text);
  const reply = await engine.script(
    'look-in-log',
    ...[runId, direction, from ?? '', LINES_A_LOOK, most, levels, wanted.attempt ?? '', ...texts],
  );
  const [looked, last, count, lines] = reply as [number, string, number, [number, StreamEntry][]];
  return {
    looked,
    isEnd: looked < LINES_A_LOOK,
    last: last === '' ? undefined : last,
    wanted: count,
    lines: lines.map(([place, entry]) => ({ place, event: toRunEvent(entry) })),
  };
}

/** The same of lines that were read otherwise, in the order in which they are looked at. */
export async function sift(events: readonly RunEvent[], wanted: Wanted, most: number): Promise<LogLook> {
  const levels = wanted.level === undefined ? undefined : levelsFrom(wanted.level);
  const texts = wanted.text === undefined ? undefined : spellingsOf(wanted.text);
  const { attempt = '', pattern } = wanted;
  const isOf = (id: unknown) =>
    attempt === '' || id === attempt || (attempt.endsWith('.') && typeof id === 'string' && id.startsWith(attempt));
  const found = events
    .map((event, i) => ({ place: i + 1, event }))
    .filter(
      ({ event }) =>
        (levels === undefined || levels.includes(event.fields.level as LogLevelName)) &&
        isOf(event.fields.attempt) &&
        (texts === undefined || texts.some((text) => textOf(event).includes(text))),
    );
  const lines = pattern === undefined ? found : await matchingOf(found, pattern);
  return {
    looked: events.length,
    isEnd: events.length < LINES_A_LOOK,
    last: events.at(-1)?.id,
    wanted: lines.length,
    lines: lines.slice(0, most),
  };
}

/** Lines are at most 64 KB: others get their turn after so many milliseconds of matching. */
const TURN_MS = 10;

async function matchingOf(lines: LogLook['lines'], pattern: LinePattern): Promise<LogLook['lines']> {
  const matching: LogLook['lines'][number][] = [];
  let began = performance.now();
  for (const line of lines) {
    if (pattern.test(wordsOf(line.event))) matching.push(line);
    if (performance.now() - began < TURN_MS) continue;
    await setImmediate();
    began = performance.now();
  }
  return matching;
}

const levelsFrom = (level: LogLevelName) => LOG_LEVELS.slice(LOG_LEVELS.indexOf(level));

/** Redis knows only the small letters of English: of the others both spellings are looked for. */
function spellingsOf(text: string): string[] {
  return [...new Set([text.toLowerCase(), smallAscii(text.toUpperCase()), smallAscii(text)])];
}

const smallAscii = (text: string) => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());

const textOf = (event: RunEvent) => smallAscii(wordsOf(event));

function wordsOf({ fields }: RunEvent): string {
  const { message, fields: rest } = fields;
  return `${typeof message === 'string' ? message : ''} ${JSON.stringify(rest ?? {})}`;
}
