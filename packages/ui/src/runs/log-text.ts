/** A line of a log as what is drawn: its colours as the program wrote them, hits marked, long ones cut. Pure. */

import Anser from 'anser';

import type { LogLine } from '../api/generated/client.ts';

export interface Piece {
  readonly text: string;
  /** `ansi-red`; undefined where the program said nothing of it. */
  readonly colour?: string | undefined;
  readonly isBold: boolean;
  readonly isHit: boolean;
}

/** Colours are drawn; whatever else a terminal would obey, and what turns text round, is shown as its code. */
const CONTROLS =
  /(\u001b\[[0-9;]{0,16}m)|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
/** The eight colours and their bright ones have tones in both themes; of others nobody knows how they would read. */
const KNOWN = /^ansi-(bright-)?(red|green|yellow|blue|magenta|cyan)$/;

const shown = (text: string) =>
  text.replace(
    CONTROLS,
    (found, colour: string | undefined) => colour ?? `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** @param find what is marked in it, letters in any case; '' marks nothing */
export function piecesOf(text: string, find: string): readonly Piece[] {
  const coloured = Anser.ansiToJson(shown(text), { use_classes: true, remove_empty: true }).map((one) => ({
    text: one.content,
    colour: KNOWN.test(one.fg) ? one.fg.replace('bright-', '') : undefined,
    isBold: one.decorations.includes('bold'),
    isHit: false,
  }));
  if (find === '') return coloured;
  const hits = placesOf(coloured.map((one) => one.text).join(''), find);
  let at = 0;
  return coloured.flatMap((piece) => {
    const from = at;
    at += piece.text.length;
    return cut(piece, from, hits);
  });
}

/** Where a text begins and ends in another. */
function placesOf(text: string, find: string): readonly (readonly [number, number])[] {
  const [where, what] = [text.toLowerCase(), find.toLowerCase()];
  const places: [number, number][] = [];
  // Letters that become two in lower case would shift what follows.
  if (where.length !== text.length) return places;
  for (let at = where.indexOf(what); at >= 0; at = where.indexOf(what, at + what.length))
    places.push([at, at + what.length]);
  return places;
}

function cut(piece: Piece, from: number, hits: readonly (readonly [number, number])[]): Piece[] {
  const parts: Piece[] = [];
  let done = 0;
  const take = (to: number, isHit: boolean) => {
    // A hit that began in the piece before lies before this one: a negative place would be counted from the end.
    const text = piece.text.slice(done, Math.max(to, 0));
    if (text !== '') parts.push({ ...piece, text, isHit });
    done = Math.max(done, to);
  };
  for (const [start, end] of hits) {
    if (end <= from || start >= from + piece.text.length) continue;
    take(start - from, false);
    take(end - from, true);
  }
  take(piece.text.length, false);
  return parts;
}

const SHOWN_CHARACTERS = 1_000;

export interface LineText {
  readonly text: string;
  /** How many characters are not shown. */
  readonly left: number;
  /** What opens below the line: its fields, or its message where that is JSON. */
  readonly json: unknown;
}

export function textOf({ message, fields }: LogLine): LineText {
  const { level: _level, attempt: _attempt, message: _message, ...rest } = fields;
  const hasFields = Object.keys(rest).length > 0;
  const whole = hasFields ? `${message} ${JSON.stringify(rest)}` : message;
  return {
    text: whole.slice(0, SHOWN_CHARACTERS),
    left: Math.max(0, whole.length - SHOWN_CHARACTERS),
    json: hasFields ? rest : jsonOf(message),
  };
}

function jsonOf(message: string): unknown {
  if (!/^\s*[[{]/.test(message)) return undefined;
  try {
    return JSON.parse(message);
  } catch {
    return undefined;
  }
}

/** `<run>.<step>.<unit>.<number>` without the run. */
export const shortAttempt = (id: string) => id.slice(id.indexOf('.') + 1);
