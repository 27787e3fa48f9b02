/** `skein dev`: API, dashboard, worker and pulse in one process. */

import type { Command } from 'commander';

import { leaf } from '../help.ts';
import { INTERRUPTED, untilSignal } from '../interrupts.ts';
import { wholeNumber } from '../parse-arguments.ts';
import type { RunAction, Session } from '../session.ts';
import { catchStrayErrors } from '../stray-errors.ts';
import { type ListenFlags, listening } from './server.ts';

interface Flags extends ListenFlags {
  readonly concurrency?: number;
}

/** What runs may take to finish; what is left is another worker's. */
const GRACE_MS = 10_000;

export function registerDev(program: Command, run: RunAction): void {
  listening(
    leaf(program, 'dev', 'everything in one process: API, dashboard, worker', [
      'skein dev',
      'skein dev --port 0 --json',
    ]),
  )
    .option('--concurrency <n>', 'steps and tasks at once', wholeNumber(1, 1_000))
    .action((flags: Flags) => run((session) => dev(session, flags)));
}

async function dev(session: Session, flags: Flags): Promise<void> {
  const [{ startServer }, { startWorker }, { createMetrics }, { startUpkeep }] = await Promise.all([
    import('../../api/server.ts'),
    import('../../worker/worker.ts'),
    import('../../telemetry/metrics.ts'),
    import('../../history/upkeep.ts'),
  ]);
  const [engine, log, resources] = await Promise.all([session.engine(), session.log(), session.resources()]);
  catchStrayErrors(log);
  const metrics = createMetrics();
  const { concurrency, ...listen } = flags;
  // The worker pulses already.
  const server = await startServer(engine, { ...listen, log, resources, metrics, pulse: false });
  const worker = await startWorker(engine, {
    log,
    resources,
    metrics,
    ...(concurrency === undefined ? {} : { concurrency }),
  });
  const upkeep = startUpkeep(engine, log);
  session.print({ url: server.url, worker: worker.id }, () => [`Skein is at ${server.url}`]);
  const signal = await untilSignal(session.interrupts);
  session.note('Stopping …');
  await upkeep.stop();
  await server.close();
  await worker.stop(GRACE_MS);
  if (signal === 'SIGINT') session.endWith(INTERRUPTED);
}
