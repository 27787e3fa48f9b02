/** What differs between two documents, by path; how far a number or a time moved; and a merge of three. Pure. */

import { formatDuration } from '../parts/time.ts';
import { type Json, type Path, formatPath, isObject, same, valueAt, withValue } from './json.ts';

export interface Difference {
  readonly path: Path;
  /** Undefined where there was none. */
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

export function differences(before: Json | undefined, after: Json | undefined, path: Path = []): Difference[] {
  if (same(before, after)) return [];
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) =>
      differences(
        Object.hasOwn(before, name) ? before[name] : undefined,
        Object.hasOwn(after, name) ? after[name] : undefined,
        [...path, name],
      ),
    );
  }
  return [{ path, before, after }];
}

const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/;

/** `+12`, `moves back 3 d 4 h`; undefined where there is nothing to say. */
export function noteOf({ before, after }: Difference): string | undefined {
  if (typeof before === 'number' && typeof after === 'number') {
    const delta = after - before;
    return `${delta > 0 ? '+' : '−'}${Math.abs(delta).toLocaleString('en')}`;
  }
  if (typeof before !== 'string' || typeof after !== 'string' || !TIME.test(before) || !TIME.test(after))
    return undefined;
  const ms = Date.parse(after) - Date.parse(before);
  if (!Number.isFinite(ms) || ms === 0) return undefined;
  return `moves ${ms < 0 ? 'back' : 'forward'} ${formatDuration(Math.abs(ms))}`;
}

export interface Merge {
  /** Theirs with everything of mine that does not collide. */
  readonly merged: Json;
  /** Changed by both, to different values; `merged` holds mine. */
  readonly conflicts: readonly {
    readonly path: Path;
    readonly mine: Json | undefined;
    readonly theirs: Json | undefined;
  }[];
}

/** What I changed since `base`, on top of what they made of it. */
export function merge(base: Json, mine: Json, theirs: Json): Merge {
  const own = differences(base, mine);
  const others = differences(base, theirs).map(({ path }) => formatPath(path));
  const touches = (path: Path) => {
    const text = formatPath(path);
    return others.some((other) => other === text || other.startsWith(`${text}.`) || text.startsWith(`${other}.`));
  };
  const merged = own.reduce((document, { path, after }) => withValue(document, path, after), theirs);
  const conflicts = own
    .filter(({ path, after }) => touches(path) && !same(after, valueAt(theirs, path)))
    .map(({ path, after }) => ({ path, mine: after, theirs: valueAt(theirs, path) }));
  return { merged, conflicts };
}
