/** How deep a JSON document is nested: what is deeper than anyone writes by hand overflows whatever walks it. Pure. */

import { RequestInvalidError } from './errors.ts';

/** Configs and cursors of the job families have less than ten. */
const MAX_DEPTH = 100;

/** @throws RequestInvalidError; goes no deeper than it allows, level by level, so that it does not overflow itself */
export function checkDepth(body: unknown): void {
  let level: unknown[] = [body];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw new RequestInvalidError(`body: is nested deeper than ${MAX_DEPTH} levels.`);
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []));
  }
}
