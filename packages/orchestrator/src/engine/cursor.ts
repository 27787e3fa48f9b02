/** Cursors as people write them: set, reset, history, undo. Each write is checked, versioned and remembered. */

import { lookUp } from '../definitions/deployment.ts';
import { ConfigInvalidError, NotFoundError, ServiceError } from '../definitions/errors.ts';
import type { Json } from '../definitions/json.ts';
import type { Sensor } from '../definitions/sensor.ts';
import type { Engine } from './engine.ts';
import { failpoint } from './failpoint.ts';
import { movedOn } from './moved-on.ts';
import { initialCursor } from './register.ts';
import { readCursor } from './tick.ts';

export interface CursorRecord {
  readonly cursor: Json;
  readonly version: number;
  /** Grows with each reset or restore; run keys of an earlier generation no longer suppress. */
  readonly generation: number;
}

export interface CursorChange {
  readonly version: number;
  readonly at: Date;
  /** `tick:<id>`, `cli:<user>`, `user:<name>`. */
  readonly by: string;
  readonly reason: string;
  readonly before: Json;
  readonly after: Json;
}

export interface CursorWrite {
  readonly by: string;
  readonly reason?: string;
  readonly ifVersion?: number;
}

/** As text, the largest that is taken. */
const MAX_CURSOR_BYTES = 262_144;

function sensorOf(engine: Engine, name: string): Sensor {
  return lookUp('sensor', engine.deployment.sensors, name);
}

export async function getCursor(engine: Engine, name: string): Promise<CursorRecord> {
  sensorOf(engine, name);
  const [cursor, version, generation] = await engine.redis.hmget(
    engine.keys.sensor(name),
    'cursor',
    'version',
    'generation',
  );
  return {
    cursor: JSON.parse(cursor ?? '{}') as Json,
    version: Number(version ?? 1),
    generation: Number(generation ?? 1),
  };
}

/** @throws ConfigInvalidError that names the field, ConflictError when the version is another by now */
export async function setCursor(
  engine: Engine,
  name: string,
  cursor: Json,
  write: CursorWrite,
): Promise<{ readonly version: number }> {
  return store(engine, name, cursorText(sensorOf(engine, name), cursor), write, false);
}

/** A person's cursor as it is stored. @throws ConfigInvalidError that names the field, or says that it is too large */
export function cursorText(sensor: Sensor, cursor: Json): string {
  const text = JSON.stringify(cursor);
  if (Buffer.byteLength(text) > MAX_CURSOR_BYTES) {
    throw new ConfigInvalidError(
      `A cursor takes at most ${MAX_CURSOR_BYTES / 1024} KB, not ${Math.ceil(Buffer.byteLength(text) / 1024)} KB.`,
    );
  }
  readCursor(sensor, cursor);
  return text;
}

/**
 * Back to what the schema makes of `{}`, or to `cursor`; a new generation of run keys, so the sensor starts over by
 * itself.
 */
export async function resetCursor(
  engine: Engine,
  name: string,
  write: CursorWrite & { readonly cursor?: Json },
): Promise<{ readonly version: number }> {
  const sensor = sensorOf(engine, name);
  const text = write.cursor === undefined ? initialCursor(sensor) : cursorText(sensor, write.cursor);
  return store(engine, name, text, { reason: 'reset', ...write }, true);
}

/** Back to the cursor before the newest change, or to how it was after `version`. @throws NotFoundError */
export async function restoreCursor(
  engine: Engine,
  name: string,
  write: CursorWrite & { readonly version?: number },
): Promise<{ readonly version: number }> {
  const history = await cursorHistory(engine, name, 2_000);
  const change = write.version === undefined ? history[0] : history.find((one) => one.version === write.version);
  if (!change)
    throw new NotFoundError(
      `The history of ${name} has no ${write.version === undefined ? 'change to undo' : `version ${write.version}`}.`,
    );
  const cursor = write.version === undefined ? change.before : change.after;
  readCursor(sensorOf(engine, name), cursor);
  return store(
    engine,
    name,
    JSON.stringify(cursor),
    { reason: `restore of ${write.version ?? `before version ${change.version}`}`, ...write },
    true,
  );
}

/** Newest first. */
export async function cursorHistory(engine: Engine, name: string, limit: number): Promise<CursorChange[]> {
  sensorOf(engine, name);
  const entries = await engine.redis.xrevrange(engine.keys.cursorHistory(name), '+', '-', 'COUNT', limit);
  return entries.map(([, flat]) => {
    const fields = Object.fromEntries(
      Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]),
    );
    return {
      version: Number(fields.v),
      at: new Date(Number(fields.at)),
      by: fields.by ?? '',
      reason: fields.reason ?? '',
      before: JSON.parse(fields.before ?? '{}') as Json,
      after: JSON.parse(fields.after ?? '{}') as Json,
    };
  });
}

async function store(
  engine: Engine,
  name: string,
  text: string,
  write: CursorWrite,
  newGeneration: boolean,
): Promise<{ readonly version: number }> {
  failpoint('cursor.before');
  const reply = (await engine.script(
    'set-cursor',
    name,
    text,
    write.by,
    write.reason ?? '',
    write.ifVersion ?? '',
    newGeneration ? 1 : 0,
  )) as number[];
  failpoint('cursor.after');
  const [version = 0, current = 0] = reply;
  if (version < 0) {
    throw new ServiceError(
      'redis',
      `Redis has lost what it knew of ${name}, so nothing was written. Restart a server or worker, which makes it known again.`,
    );
  }
  if (version === 0) throw movedOn(`The cursor of ${name}`, current, write.ifVersion);
  return { version };
}
