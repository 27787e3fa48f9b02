/** Sensors of the ledger itself: the engine's verbs, the audit log, a tick that is evaluated here where no worker is. */

import { listTicks, readSwitches, readTicks } from '../../api/reads/sensors.ts';
import { lookUp } from '../../definitions/deployment.ts';
import { ConflictError } from '../../definitions/errors.ts';
import type { Json } from '../../definitions/json.ts';
import type { Sensor } from '../../definitions/sensor.ts';
import { cursorHistory, getCursor, resetCursor, restoreCursor, setCursor } from '../../engine/cursor.ts';
import type { Engine } from '../../engine/engine.ts';
import { previewTicks } from '../../engine/preview.ts';
import { initialCursor } from '../../engine/register.ts';
import { evaluateTick, openTick, readCursor } from '../../engine/tick.ts';
import { createScrub } from '../../telemetry/scrub.ts';
import { describeError } from '../../worker/describe-error.ts';
import { takesAnybodyAll } from '../../worker/worker.ts';
import type { Session } from '../session.ts';
import { turnTrigger } from '../switch-triggers.ts';
import type { CursorWrite, SensorsPort, ShownSensor } from './sensors.ts';
import { untilTicked } from './until-ticked.ts';

export function localSensors(session: Session): SensorsPort {
  const find = (name: string) => lookUp('sensor', session.deployment.sensors, name);
  const states = async (all: readonly Sensor[]): Promise<ShownSensor[]> => {
    const names = all.map(({ name }) => name);
    const read = await readSwitches(await session.engine(), names);
    return all.flatMap((sensor, i) => {
      const state = read[i];
      return state === undefined ? [] : [toShown(sensor, state)];
    });
  };
  const by = ({ reason, ifVersion }: CursorWrite) => ({
    by: session.by,
    ...(reason === undefined ? {} : { reason }),
    ...(ifVersion === undefined ? {} : { ifVersion }),
  });
  const change = async (
    verb: 'set' | 'reset' | 'undo',
    name: string,
    { reason }: CursorWrite,
    write: (engine: Engine) => Promise<unknown>,
  ) => {
    const engine = await session.engine();
    const before = await getCursor(engine, name);
    await write(engine);
    const after = await getCursor(engine, name);
    await session.audit({
      action: `skein sensors cursor ${verb}`,
      target: `sensor:${name}/cursor`,
      reason,
      before,
      after,
    });
  };
  return {
    list: () => states([...session.deployment.sensors.values()]),
    async read(name) {
      const [state] = await states([find(name)]);
      if (state) return state;
      throw new ConflictError(`Sensor ${name} is not registered.`);
    },
    ticks: async (name, limit) => (limit === 0 ? [] : (await listTicks(await session.engine(), name, { limit })).items),
    async turn(name, status) {
      find(name);
      await turnTrigger(session, 'sensor', name, status);
    },
    async preview(name, ticks, cursor) {
      const sensor = find(name);
      const [engine, resources, log] = await Promise.all([session.engine(), session.resources(), session.log()]);
      const openResources = (map: Sensor['resources']) => resources.openAll(map);
      return previewTicks(engine, sensor, { ticks, ...(cursor === undefined ? {} : { cursor }), openResources, log });
    },
    async tick(name) {
      const sensor = find(name);
      const engine = await session.engine();
      const id = await openTick(engine, name, session.by);
      if (id === undefined)
        throw new ConflictError(`A tick of ${name} is under way: wait for it, see “skein sensors show”.`);
      await session.audit({ action: 'skein sensors tick', target: `sensor:${name}`, after: { tick: id } });
      if (!(await takesAnybodyAll(engine))) await evaluateHere(session, engine, id);
      return untilTicked(id, sensor.timeoutMs, async () => (await readTicks(engine, [id]))[0]);
    },
    async cursor(name) {
      find(name);
      return getCursor(await session.engine(), name);
    },
    initialCursor: (name) => Promise.resolve(JSON.parse(initialCursor(find(name))) as Json),
    checkCursor(name, cursor) {
      readCursor(find(name), cursor);
      return Promise.resolve();
    },
    async history(name, limit) {
      find(name);
      const changes = await cursorHistory(await session.engine(), name, limit);
      return changes.map((one) => ({ ...one, at: one.at.toISOString() }));
    },
    setCursor: (name, cursor, write) =>
      change('set', name, write, (engine) => setCursor(engine, name, cursor, by(write))),
    resetCursor: (name, write) => change('reset', name, write, (engine) => resetCursor(engine, name, by(write))),
    restoreCursor: (name, version, write) =>
      change('undo', name, write, (engine) =>
        restoreCursor(engine, name, { ...by(write), ...(version === undefined ? {} : { version }) }),
      ),
  };
}

function toShown(sensor: Sensor, state: Awaited<ReturnType<typeof readSwitches>>[number]): ShownSensor {
  const { running_tick: _running, recent: _recent, next_due_at: next, cursor, ...rest } = state;
  return {
    name: sensor.name,
    description: sensor.description,
    job: sensor.job.name,
    every_ms: sensor.everyMs,
    cursor: JSON.parse(cursor) as Json,
    ...rest,
    next_tick_at: next,
  };
}

async function evaluateHere(session: Session, engine: Engine, id: string): Promise<void> {
  const [resources, log] = await Promise.all([session.resources(), session.log()]);
  const scrub = createScrub(session.env);
  session.note('No worker is alive: this command evaluates the tick itself.');
  await evaluateTick(
    {
      engine,
      worker: session.by,
      openResources: (map) => resources.openAll(map),
      describe: (error) => describeError(error, scrub).message,
      log,
    },
    id,
  );
}
