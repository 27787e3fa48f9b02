/**
 * Undo of a change that the audit log tells of, where an inverse exists: switches of sensors and schedules, limits of
 * pools and backfills, pauses, cursors, marks, views, presets. A change is undone only while things are as it left them: what somebody
 * did since is never taken back with it. The undo is a change of its own, with an entry of its own, and can be undone.
 */

import { z } from 'zod';

import { lookUp } from '../definitions/deployment.ts';
import { NotFoundError, RefusedError } from '../definitions/errors.ts';
import { pauseBackfill, readBackfill, resumeBackfill, changeBackfill } from '../engine/backfill.ts';
import { getCursor, restoreCursor } from '../engine/cursor.ts';
import type { Engine } from '../engine/engine.ts';
import { type Mark, markPartitions } from '../engine/mark.ts';
import { readStatuses } from '../engine/partition-reader.ts';
import { readPool, setPoolLimit } from '../engine/pools.ts';
import { switchTrigger } from '../engine/switch.ts';
import type { AuditRecord } from './audit.ts';
import { readSwitches } from './reads/sensors.ts';
import { type Saved, findSaved, replaceSaved } from './saved.ts';
import { given } from './schema.ts';

interface Undo {
  readonly engine: Engine;
  readonly by: string;
  readonly reason: string;
}

/** What was changed, before and after, as its entry tells. */
interface Inverse<T> {
  readonly target: RegExp;
  readonly change: z.ZodType<{ before: T; after: T }>;
  /** As it is now, in the same shape, and its version where it has one. */
  read(engine: Engine, name: string, after: T): Promise<{ readonly now: T; readonly version?: number }>;
  /** On top of the version that was read, so that what somebody does in between is not taken back. */
  write(undo: Undo, name: string, before: T, version: number | undefined): Promise<void>;
}

/** Only what counts is compared; an entry holds more. */
function inverse<T>(target: RegExp, state: z.ZodType<T>, verbs: Pick<Inverse<T>, 'read' | 'write'>): Inverse<T> {
  return { target, change: z.object({ before: state, after: state }) as Inverse<T>['change'], ...verbs };
}

const Switch = z.object({ status: z.enum(['RUNNING', 'STOPPED']) });
const switches = inverse(/^(?:sensor|schedule):([^/]+)$/, Switch, {
  async read(engine, name) {
    const [state] = await readSwitches(engine, [name]);
    if (state === undefined) throw new NotFoundError(`Nothing is registered under the name ${name}.`);
    return { now: { status: state.status }, version: state.status_version };
  },
  async write({ engine, by }, name, { status }, version) {
    const kind = engine.deployment.sensors.has(name) ? 'sensor' : 'schedule';
    await switchTrigger(engine, kind, name, status, by, version);
  },
});

const Pool = z.object({ set_limit: z.number().nullable() });
const pools = inverse(/^pool:(.+)$/, Pool, {
  async read(engine, name) {
    const { setLimit, version } = await readPool(engine, name);
    return { now: { set_limit: setLimit ?? null }, version };
  },
  write: async ({ engine, by, reason }, name, { set_limit: limit }, ifVersion) =>
    void (await setPoolLimit(engine, name, limit ?? undefined, { by, reason, ifVersion })),
});

const Version = z.object({ version: z.number() });
const cursors = inverse(/^sensor:([^/]+)\/cursor$/, Version, {
  async read(engine, name) {
    const { version } = await getCursor(engine, name);
    return { now: { version }, version };
  },
  // The newest change is the one to undo: its version is the one that was compared.
  write: async ({ engine, by, reason }, name, _before, version) =>
    void (await restoreCursor(engine, name, { by, reason, ...given({ ifVersion: version }) })),
});

/** A backfill that has ended stays ended. */
const Live = z.enum(['IN_PROGRESS', 'PAUSED']);
const Backfill = z.union([z.object({ status: Live }), z.object({ max_active: z.number(), priority: z.number() })]);
const backfills = inverse(/^backfill:(.+)$/, Backfill, {
  async read(engine, id, after) {
    const { status, maxActive, priority, version } = await readBackfill(engine, id);
    const now = 'status' in after ? { status: status as z.output<typeof Live> } : { max_active: maxActive, priority };
    return { now, version };
  },
  async write({ engine, by, reason }, id, before, ifVersion) {
    const word = { by, reason, ifVersion };
    if ('max_active' in before)
      await changeBackfill(engine, id, { maxActive: before.max_active, priority: before.priority }, word);
    else if (before.status === 'PAUSED') await pauseBackfill(engine, id, word);
    else await resumeBackfill(engine, id, word);
  },
});

const Marks = z.object({ outcomes: z.record(z.string(), z.enum(['missing', 'materialized', 'skipped'])) });
const marks = inverse(/^asset:(.+)$/, Marks, {
  read: async (engine, key, { outcomes }) => ({
    now: { outcomes: (await readOutcomes(engine, key, Object.keys(outcomes))) as Record<string, Mark> },
  }),
  async write({ engine, by }, key, { outcomes }) {
    const asset = lookUp('asset', engine.deployment.assets, key);
    for (const as of ['missing', 'materialized', 'skipped'] as const) {
      const keys = Object.keys(outcomes).filter((one) => outcomes[one] === as);
      if (keys.length > 0) await markPartitions(engine, asset, keys, as, by);
    }
  },
});

/** Outcomes that an entry of the audit log holds. */
const MOST_UNDONE = 1_000;

/** What the entry of a mark holds before and after it, so that it can be undone, as long as it is not of too many. */
export async function markedOutcomes(
  engine: Engine,
  key: string,
  { keys, rows }: { readonly keys: readonly string[]; readonly rows: readonly string[] },
): Promise<{ readonly outcomes: Record<string, string> } | undefined> {
  if (rows.length > 0 || keys.length > MOST_UNDONE) return undefined;
  return { outcomes: await readOutcomes(engine, key, keys) };
}

/** Last outcomes by key. */
async function readOutcomes(
  engine: Engine,
  key: string,
  partitions: readonly string[],
): Promise<Record<string, string>> {
  const statuses = await readStatuses(engine, lookUp('asset', engine.deployment.assets, key), partitions);
  return Object.fromEntries(partitions.map((one) => [one, statuses.get(one)?.outcome ?? 'missing']));
}

const Document = z.looseObject({ name: z.string() }).nullable();
const placeOf = (target: string) => {
  const [kind = '', ...name] = target.split('/');
  return [kind, name.join('/')] as const;
};
const documents = inverse(/^((?:views|presets:[^/]+)\/.+)$/, Document, {
  async read(engine, target) {
    const found = await findSaved(engine, ...placeOf(target));
    return { now: found === undefined ? null : { ...found }, version: found?.version ?? 0 };
  },
  write: async ({ engine }, target, before, ifVersion) =>
    void (await replaceSaved(engine, ...placeOf(target), (before as Saved | null) ?? undefined, { ifVersion })),
});

const INVERSES = [switches, pools, cursors, backfills, marks, documents] as readonly Inverse<unknown>[];

/** @throws RefusedError when there is no inverse, or things are not as the change left them */
export async function undoChange(undo: Undo, entry: AuditRecord): Promise<{ before: unknown; after: unknown }> {
  for (const one of INVERSES) {
    const name = one.target.exec(entry.target)?.[1];
    if (name === undefined) continue;
    const change = one.change.safeParse({ before: entry.before, after: entry.after });
    if (!change.success) continue;
    const { before, after } = change.data;
    if (same(before, after)) throw new RefusedError('This changed nothing, so there is nothing to undo.');
    const { now, version } = await one.read(undo.engine, name, after);
    if (!same(now, after)) {
      throw new RefusedError(
        `${entry.target} was changed since: it is ${show(now)} now, and this change left it ${show(after)}.`,
        { hint: 'Undo the newer change first, or set it as you want it.' },
      );
    }
    await one.write(undo, name, before, version);
    return { before: now, after: (await one.read(undo.engine, name, after)).now };
  }
  throw new RefusedError(`“${entry.action}” on ${entry.target} has no inverse: it cannot be undone.`, {
    hint: 'Switches, pool limits, cursors, pauses and limits of backfills, views, presets, marks of single partitions can.',
  });
}

const show = (value: unknown) => JSON.stringify(value).slice(0, 200);

function same(a: unknown, b: unknown): boolean {
  const sorted = (value: unknown) =>
    JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([x], [y]) => (x < y ? -1 : 1)))
        : inner,
    );
  return sorted(a) === sorted(b);
}
