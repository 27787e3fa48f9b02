/**
 * Regular expressions that people ask a log with. RE2's kind: a line is matched in time that grows with the line alone,
 * so that no expression can hold the server up; what RE2 has not (looking around, back references) is refused in words.
 */

import { RE2JS, RE2JSException } from 're2js';

import type { LinePattern } from '../../engine/reads/look-in-log.ts';
import { RequestInvalidError } from '../errors.ts';

/** Of the compiled expression: `x{1000}` is about this. The time for a line grows with it. */
const MOST_STEPS = 1_500;

/** Letters in any case, as for a plain text; `(?-i)` tells them apart. @throws RequestInvalidError */
export function parseLogPattern(text: string): LinePattern {
  const pattern = compile(text);
  if (pattern.programSize() > MOST_STEPS)
    throw new RequestInvalidError('query.q: this expression is too large; repeat less in it.');
  return pattern;
}

function compile(text: string): RE2JS {
  try {
    return RE2JS.compile(text, RE2JS.CASE_INSENSITIVE);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    const why = error.message.replace('error parsing regexp: ', '').replace('`(?i)', '`');
    throw new RequestInvalidError(
      `query.q is not a regular expression of RE2: ${why}. It has no look-around and no back references.`,
    );
  }
}
