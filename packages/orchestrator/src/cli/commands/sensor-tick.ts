/** `skein sensors tick NAME`: evaluates now, also a stopped sensor, and says what came of it. */

import type { Command } from 'commander';

import type { TickRecord } from '../../api/reads/sensors.ts';
import { lookUp } from '../../definitions/deployment.ts';
import { ConflictError, ServiceError } from '../../definitions/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import { tickJson } from '../describe-tick.ts';
import { leaf } from '../help.ts';
import type { RunAction, Session } from '../session.ts';

const LOOK_EVERY_MS = 100;

export function registerSensorTick(sensors: Command, run: RunAction): void {
  leaf(sensors, 'tick <name>', 'evaluate now, also a stopped sensor; its requests are launched', [
    'skein sensors tick my_sensor',
    'skein sensors tick my_sensor --json',
  ]).action((name: string) => run((session) => tickNow(session, name)));
}

async function tickNow(session: Session, name: string): Promise<void> {
  const sensor = lookUp('sensor', session.deployment.sensors, name);
  const [{ openTick }, { countWorkers }] = await Promise.all([
    import('../../engine/tick.ts'),
    import('../../worker/worker.ts'),
  ]);
  const engine = await session.engine();
  const id = await openTick(engine, name, session.by);
  if (id === undefined)
    throw new ConflictError(`A tick of ${name} is under way: wait for it, see “skein sensors show”.`);
  await session.audit({ action: 'skein sensors tick', target: `sensor:${name}`, after: { tick: id } });
  if ((await countWorkers(engine)) === 0) await evaluateHere(session, engine, id);
  const tick = await waitForTick(engine, id, sensor.timeoutMs);
  if (tick.status === 'FAILURE') session.endWith(1);
  session.print({ sensor: name, ...tickJson(tick) }, () => [
    `${tick.decision}${tick.reason === '' ? '' : `: ${tick.reason}`}`,
    ...tick.run_ids.map((run) => `run ${run}`),
  ]);
}

async function evaluateHere(session: Session, engine: Engine, id: string): Promise<void> {
  const [{ evaluateTick }, { describeError }, { createScrub }] = await Promise.all([
    import('../../engine/tick.ts'),
    import('../../worker/describe-error.ts'),
    import('../../telemetry/scrub.ts'),
  ]);
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

/** A few seconds more than the tick may take: a lost one is ended by the pulse. */
const MARGIN_MS = 15_000;

async function waitForTick(engine: Engine, id: string, timeoutMs: number): Promise<TickRecord> {
  const { readTicks } = await import('../../api/reads/sensors.ts');
  const ends = performance.now() + timeoutMs + MARGIN_MS;
  for (;;) {
    const [tick] = await readTicks(engine, [id]);
    if (tick !== undefined && tick.status !== 'STARTED') return tick;
    if (performance.now() > ends)
      throw new ServiceError('worker', `No worker has ended the tick ${id} in time.`, {
        hint: 'See “skein doctor”.',
      });
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
