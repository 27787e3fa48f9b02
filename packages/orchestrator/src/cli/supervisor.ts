/**
 * Keeps worker processes alive: a child that died is started again, and one whose event loop does not answer for a whole
 * lease is killed first, since its attempts are another's by then. Children stop by themselves when we are gone.
 */

import { type ChildProcess, fork } from 'node:child_process';

import type { MetricObject } from 'prom-client';

import type { Logger } from '../definitions/context.ts';

export interface SupervisorOptions {
  readonly script: string;
  readonly args: readonly string[];
  readonly processes: number;
  /** A child that is ready and then silent for longer is killed. */
  readonly silenceMs: number;
  readonly log: Logger;
  /** Told when a child is ready for the first time. */
  readonly onReady?: (pid: number) => void;
}

export interface Supervisor {
  /** Resolves with an exit code when children cannot be started at all: the same mistake would come again. */
  readonly hopeless: Promise<number>;
  /** Of every child that is ready and answers in time. */
  metrics(): Promise<MetricObject[][]>;
  /** Asks children to finish; resolves when all have. */
  stop(): Promise<void>;
}

/** What children say; the last one when they are asked for `metrics`. */
export type ChildMessage = 'ready' | 'alive' | { readonly metrics: MetricObject[] };
/** A scrape does not wait longer for a child that is busy. */
const METRICS_WITHIN_MS = 2_000;
/** So often a child says that its loop turns. */
export const ALIVE_EVERY_MS = 1_000;

/** Until it is ready it loads code and connects, on a machine that may be busy; it holds no lease that would be late. */
const READY_WITHIN_MS = 120_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** A child that lived this long was sound: the next wait is short again. */
const SOUND_AFTER_MS = 60_000;

export function superviseWorkers(options: SupervisorOptions): Supervisor {
  let stopping = false;
  const children = new Set<ChildProcess>();
  const timers = new Set<NodeJS.Timeout>();
  let giveUp: (code: number) => void = () => {};
  const hopeless = new Promise<number>((resolve) => (giveUp = resolve));

  const start = (waitMs: number, hasWorked: boolean): void => {
    const child = fork(options.script, [...options.args], { stdio: 'inherit', serialization: 'json' });
    children.add(child);
    const startedAt = performance.now();
    let heardAt = startedAt;
    let ready = false;
    child.on('message', (message) => {
      heardAt = performance.now();
      if (message !== 'ready') return;
      ready = true;
      options.onReady?.(child.pid ?? 0);
    });
    const watch = setInterval(() => {
      const limit = ready ? options.silenceMs : READY_WITHIN_MS;
      if (performance.now() - heardAt <= limit) return;
      options.log.error('a worker process does not answer and is killed', { child: child.pid, silent_ms: limit });
      child.kill('SIGKILL');
    }, ALIVE_EVERY_MS);
    child.once('exit', (code, signal) => {
      clearInterval(watch);
      children.delete(child);
      if (stopping) return;
      // A wrong configuration or a service that never answered is for the person who started us.
      if (!ready && !hasWorked && (code === 2 || code === 3)) return giveUp(code);
      const wait = performance.now() - startedAt > SOUND_AFTER_MS ? FIRST_WAIT_MS : waitMs;
      options.log.warn('a worker process ended and is started again', {
        child: child.pid,
        code,
        signal,
        wait_ms: wait,
      });
      const timer = setTimeout(() => {
        timers.delete(timer);
        start(Math.min(wait * 2, LONGEST_WAIT_MS), hasWorked || ready);
      }, wait);
      timers.add(timer);
    });
  };
  for (let i = 0; i < options.processes; i++) start(FIRST_WAIT_MS, false);

  return {
    hopeless,
    async metrics() {
      const answers = await Promise.all([...children].map(metricsOf));
      return answers.filter((one) => one !== undefined);
    },
    async stop() {
      stopping = true;
      for (const timer of timers) clearTimeout(timer);
      const ended = [...children].map((child) => new Promise((resolve) => child.once('exit', resolve)));
      for (const child of children) child.kill('SIGTERM');
      await Promise.all(ended);
    },
  };
}

function metricsOf(child: ChildProcess): Promise<MetricObject[] | undefined> {
  return new Promise((resolve) => {
    const end = (answer: MetricObject[] | undefined) => {
      clearTimeout(late);
      child.off('message', hear);
      resolve(answer);
    };
    const hear = (message: unknown) => {
      if (typeof message === 'object' && message !== null && 'metrics' in message)
        end(message.metrics as MetricObject[]);
    };
    const late = setTimeout(end, METRICS_WITHIN_MS, undefined);
    child.on('message', hear);
    if (!child.connected) return end(undefined);
    child.send('metrics', (error) => {
      if (error) end(undefined);
    });
  });
}
