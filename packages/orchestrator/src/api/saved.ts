/**
 * Small documents that people keep on the server by name: views and presets. A change is a compare-and-set on the
 * document that it was judged by, so that whoever may change it, and on which version, is decided by what is replaced.
 */

import { ConflictError } from '../definitions/errors.ts';
import type { Engine } from '../engine/engine.ts';
import { movedOn } from '../engine/moved-on.ts';
import { RequestInvalidError } from './errors.ts';

/** Of views, and of the presets of one job: what a menu can still show. */
const MAX_KEPT = 200;

export interface Saved {
  readonly name: string;
  readonly by: string;
  readonly at: string;
  /** No two that were ever saved have the same, so that one which was removed and made anew is another. */
  readonly version: number;
}

export interface SavedChange {
  readonly ifVersion: number | undefined;
  /** Throws where what is there must not be changed by whoever asks. */
  readonly judge?: (before: Saved) => void;
}

/** By name. */
export async function listSaved<T extends Saved>(engine: Engine, kind: string): Promise<T[]> {
  const all = await engine.redis.hvals(engine.keys.saved(kind));
  return all.map((text) => read<T>(text)).sort((a, b) => a.name.localeCompare(b.name, 'en'));
}

export async function findSaved<T extends Saved>(engine: Engine, kind: string, name: string): Promise<T | undefined> {
  const text = await engine.redis.hget(engine.keys.saved(kind), name);
  return text === null ? undefined : read<T>(text);
}

/**
 * Under its name, in place of what is there; undefined removes that.
 *
 * @returns what was there, and what is now
 * @throws ConflictError when the version is another (0: there must be none), RequestInvalidError when there are too many
 */
export async function replaceSaved<T extends Saved>(
  engine: Engine,
  kind: string,
  name: string,
  document: Omit<T, 'version'> | undefined,
  { ifVersion, judge = () => {} }: SavedChange,
): Promise<{ readonly before: T | undefined; readonly after: T | undefined }> {
  const version = document === undefined ? 0 : await engine.redis.incr(engine.keys.saved('version'));
  const after = document === undefined ? undefined : ({ ...document, version } as T);
  for (let tries = 0; tries < 20; tries++) {
    const text = (await engine.redis.hget(engine.keys.saved(kind), name)) ?? '';
    const before = text === '' ? undefined : read<T>(text);
    if (before) judge(before);
    const current = before?.version ?? 0;
    if (ifVersion !== undefined && ifVersion !== current) throw movedOn(`“${name}”`, current, ifVersion);
    const put = after === undefined ? '' : JSON.stringify(after);
    const reply = await engine.script('replace-saved', kind, name, text, put, MAX_KEPT);
    if (reply === 1) return { before, after };
    if (reply === -1) throw new RequestInvalidError(`There are ${MAX_KEPT} already: remove one that nobody uses.`);
  }
  throw new ConflictError(`“${name}” is changed all the time by somebody else. Nothing was done; try again.`);
}

/** Those of before versions have the first one. */
function read<T extends Saved>(text: string): T {
  return { version: 1, ...(JSON.parse(text) as Omit<T, 'version'>) } as T;
}
