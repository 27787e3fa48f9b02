/** Do sensors and schedules tick in time, without failing again and again, and do their cursors keep up. Reads only. */

import { readSwitches } from '../../api/reads/sensors.ts';
import type { Engine } from '../../engine/engine.ts';
import { readLateTicks, readSourceLags } from '../../engine/reads/trigger-lag.ts';
import { duration } from '../terminal.ts';
import { type Finding, ok, problem } from './finding.ts';

const ERROR_STREAK = 3;
const LAG_INTERVALS = 2;
const STANDS_INTERVALS = 3;
const SHOWN = 3;

export async function checkTickLag(engine: Engine): Promise<Finding> {
  const late = (await readLateTicks(engine)).filter(({ intervals }) => intervals > LAG_INTERVALS);
  if (late.length === 0) return ok('tick lag', `no tick is more than ${LAG_INTERVALS} intervals late`);
  const worst = late.slice(0, SHOWN).map(({ name, lagMs }) => `${name} by ${duration(lagMs)}`);
  return problem(
    'tick lag',
    `${late.length} sensors or schedules are late: ${worst.join(', ')}${late.length > SHOWN ? ', …' : ''}`,
    'Is a worker without --pools alive, and has it the time? Slow sensors hold its five ticks at once: see “skein sensors show NAME”.',
  );
}

/** Cursors that stand while the lag that their sensor tells grows. */
export async function checkCursors(engine: Engine): Promise<Finding[]> {
  const lags = await readSourceLags(engine);
  const standing = lags.filter(({ standsIntervals }) => standsIntervals > STANDS_INTERVALS);
  if (standing.length === 0) return [ok('cursors', `none of ${lags.length} that tell their lag stands while it grows`)];
  return standing.map(({ sensor, lag, grownBy, standsIntervals }) =>
    problem(
      'cursors',
      `${sensor} has stood for ${Math.floor(standsIntervals)} intervals while its lag grew by ${grownBy} to ${lag}`,
      `Its ticks say what it waits for: “skein sensors show ${sensor}”; “skein sensors preview ${sensor}” tries a fix.`,
    ),
  );
}

export async function checkSensors(engine: Engine): Promise<Finding[]> {
  const names = [...engine.deployment.sensors.keys(), ...engine.deployment.schedules.keys()];
  const states = await readSwitches(engine, names);
  const failing = states.flatMap((state, i) =>
    state.status === 'RUNNING' && state.error_streak >= ERROR_STREAK ? [{ name: names[i] ?? '', state }] : [],
  );
  const paused = states.flatMap((state, i) =>
    state.status === 'STOPPED' && state.status_by === 'skein' ? [{ name: names[i] ?? '', state }] : [],
  );
  if (failing.length + paused.length === 0) return [ok('sensors', `none fails again and again`)];
  return [
    ...failing.map(({ name, state }) =>
      problem(
        'sensors',
        `${name} has failed ${state.error_streak} times in a row: ${state.last_tick?.reason ?? ''}`,
        `See “skein sensors show ${name}”; stop it with “skein sensors stop ${name}”.`,
      ),
    ),
    ...paused.map(({ name, state }) =>
      problem(
        'sensors',
        `${name} is paused: ${state.last_tick?.reason ?? ''}`,
        `Deploy a migrate that takes the cursor (“skein sensors preview ${name}” tries it), then “skein sensors start ${name}”.`,
      ),
    ),
  ];
}
