/**
 * A person's cursor and what the sensor asks for with it, written in one script or not at all: the sensor's code is
 * evaluated here, as a tick that this process holds, with the new cursor; then the cursor, its history, the runs and the
 * tick's record are committed together, on the version that the person saw. Also of a stopped sensor.
 */

import { lookUp } from '../definitions/deployment.ts';
import { RefusedError, TimeoutError } from '../definitions/errors.ts';
import type { Json } from '../definitions/json.ts';
import { type CursorWrite, cursorText, getCursor } from './cursor.ts';
import type { Engine } from './engine.ts';
import { failpoint } from './failpoint.ts';
import { movedOn } from './moved-on.ts';
import { createTickLog } from './tick-log.ts';
import { type Decision, type TickPorts, decideSensor } from './tick.ts';

export interface Applied {
  readonly tick: string;
  readonly decision: Decision;
}

/**
 * @throws ConfigInvalidError when the schema refuses the cursor, ConflictError when the version is another by now,
 * RefusedError while a tick is under way or when the sensor's code fails with it: nothing is saved then
 */
export async function applyCursor(
  engine: Engine,
  ports: Pick<TickPorts, 'openResources' | 'describe' | 'log'>,
  name: string,
  cursor: Json,
  write: CursorWrite,
): Promise<Applied> {
  const sensor = lookUp('sensor', engine.deployment.sensors, name);
  const text = cursorText(sensor, cursor);
  const { version: stored } = await getCursor(engine, name);
  if (write.ifVersion !== undefined && write.ifVersion !== stored)
    throw movedOn(`The cursor of ${name}`, stored, write.ifVersion);
  const { leaseMs } = engine.settings;
  const opened = (await engine.script('open-tick', name, leaseMs, write.by, write.by, text)) as string[] | null;
  if (opened === null) throw new RefusedError(`A tick of ${name} is under way: wait for it to end.`);
  const [id = '', atVersion, generation, now] = opened;
  const version = write.ifVersion ?? Number(atVersion);
  const said = createTickLog(ports.log, engine.scrub);
  let commit: string;
  try {
    const tick = { id, name, cursorText: text, version, generation: Number(generation), now: new Date(Number(now)) };
    const decision = await decideSensor({ engine, ...ports, log: said.log }, sensor, { ...tick, plan: undefined });
    const set = { cursor: text, by: write.by, reason: write.reason ?? '' };
    commit = JSON.stringify({ sensor: name, tick: id, version, set, ...decision, log: said.text() });
  } catch (error) {
    const message = ports.describe(error);
    const decision = error instanceof TimeoutError ? 'timed_out' : 'failed';
    await engine.script('fail-tick', name, id, message, decision, said.text(), 1);
    throw new RefusedError(`Nothing was saved: with this cursor the sensor fails. ${message}`, {
      details: { tick: id },
    });
  }
  failpoint('cursor.before');
  const [decision, current] = (await engine.script('commit-tick', commit)) as [Decision | 'overruled', number?];
  failpoint('cursor.after');
  engine.dispatcher.kick();
  if (decision === 'overruled') throw movedOn(`The cursor of ${name}`, Number(current), write.ifVersion);
  if (decision === 'fenced')
    throw new RefusedError(`Nothing was saved: the tick ${id} took too long and was given up.`);
  return { tick: id, decision };
}
