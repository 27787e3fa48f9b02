/**
 * The pulse, which every process runs once a second: expire leases, ready what waited, run again what failed where its job
 * says so, ring again, admit, claim due ticks. Each part is one atomic script, or one that gives a thing
 * to one pulse and does it once by its key, so any number of pulses is as good as one.
 */

import type { Engine } from './engine.ts';
import { failpoint } from './failpoint.ts';
import { keepRegistered } from './register.ts';
import { runAgain } from './retry.ts';
import { traceEndedRuns } from './trace-runs.ts';

export interface PulseCounts {
  readonly lost: number;
  readonly readied: number;
  readonly resent: number;
  readonly admitted: number;
  readonly ticks: number;
}

const BATCH = 500;

/** @param freeSlots of the worker whose pulse it is, asked for when they are needed */
export async function pulseOnce(engine: Engine, freeSlots = () => 0): Promise<PulseCounts> {
  await keepRegistered(engine);
  failpoint('expire.before');
  const { leaseMs, resendMs, maxLost } = engine.settings;
  const [lost, readied, failed] = (await engine.script('expire', maxLost, BATCH, leaseMs)) as [
    number,
    number,
    readonly string[],
  ];
  failpoint('expire.after');
  for (const run of failed) await runAgain(engine, run);
  const resent = await engine.dispatcher.resend();
  const admitted = await engine.dispatcher.runOnce(freeSlots());
  const ticks = (await engine.script('claim-ticks', BATCH, leaseMs, resendMs)) as string[];
  failpoint('ticks.claimed');
  await ringTicks(engine, ticks);
  failpoint('ticks.rung');
  return { lost, readied, resent, admitted, ticks: ticks.length };
}

export async function ringTicks(engine: Engine, ticks: readonly string[]): Promise<void> {
  if (ticks.length === 0) return;
  await engine.ticks.addBulk(
    ticks.map((tick) => ({
      name: 'tick',
      data: {},
      opts: { jobId: tick, removeOnComplete: true, removeOnFail: true },
    })),
  );
}

export interface Pulse {
  stop(): Promise<void>;
}

/**
 * A dull timer round `pulseOnce`; a pulse that fails is followed by the next one.
 * @param freeSlots of the worker whose pulse it is
 * @param beside what else is looked after once a pulse, without holding it up
 */
export function startPulse(
  engine: Engine,
  onError: (error: unknown) => void,
  freeSlots = () => 0,
  beside: () => Promise<unknown> = async () => {},
): Pulse {
  let stopped = false;
  let wake: (() => void) | undefined;
  let besides: Promise<unknown> | undefined;
  const lookBeside = async () => {
    try {
      await Promise.all([beside(), traceEndedRuns(engine)]);
    } catch (error) {
      if (!stopped) onError(error);
    } finally {
      besides = undefined;
    }
  };
  const loop = (async () => {
    while (!stopped) {
      const began = performance.now();
      try {
        besides ??= lookBeside();
        await pulseOnce(engine, freeSlots);
        await engine.dispatcher.idle();
      } catch (error) {
        if (!stopped) onError(error);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, engine.settings.pulseMs - (performance.now() - began)));
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  })();
  return {
    async stop() {
      stopped = true;
      wake?.();
      await loop;
      await besides;
    },
  };
}
