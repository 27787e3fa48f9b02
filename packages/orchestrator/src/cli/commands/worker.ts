/**
 * `skein worker`: takes steps, tasks and ticks. The process that is started supervises child processes, which do the
 * work, so that code that blocks or breaks a process costs a lease, not the worker.
 */

import { type Command, Option } from 'commander';

import { NotFoundError } from '../../definitions/errors.ts';
import { untilOrphaned } from '../../worker/orphaned.ts';
import { leaf } from '../help.ts';
import { INTERRUPTED, untilSignal } from '../interrupts.ts';
import { wholeNumber } from '../parse-arguments.ts';
import type { RunAction, Session } from '../session.ts';
import { catchStrayErrors } from '../stray-errors.ts';
import { UsageError } from '../usage-error.ts';
import { ALIVE_EVERY_MS, type ChildMessage, superviseWorkers } from '../supervisor.ts';

interface Flags {
  readonly concurrency?: number;
  readonly processes: number;
  readonly pools?: readonly string[];
  readonly graceSeconds: number;
  readonly metricsPort?: number;
  readonly child?: boolean;
}

export function registerWorker(program: Command, run: RunAction): void {
  leaf(program, 'worker', 'a worker: takes steps, tasks and ticks', [
    'skein worker --concurrency 20',
    'skein worker --processes 4',
    'skein worker --pools clickhouse-export,duckling --concurrency 4',
    'skein worker --metrics-port 9464',
  ])
    .option('--concurrency <n>', 'steps and tasks at once, in each process', wholeNumber(1, 1_000))
    .option('--processes <n>', 'child processes', wholeNumber(1, 64), 1)
    .option('--pools <names>', 'only steps and tasks of these pools, such as a,b; no sensors', splitNames)
    .option('--grace-seconds <n>', 'on SIGTERM, what runs may take to finish', wholeNumber(0, 86_400), 25)
    .option('--metrics-port <n>', 'GET /metrics on SKEIN_HOST, of all child processes', wholeNumber(0, 65_535))
    .addOption(new Option('--child').hideHelp())
    .action((flags: Flags) =>
      run((session) => (flags.child === true ? work(session, flags) : supervise(session, flags))),
    );
}

async function supervise(session: Session, flags: Flags): Promise<void> {
  checkPools(session, flags.pools);
  const { readSettings } = await import('../../engine/settings.ts');
  const { leaseMs, host } = readSettings(session.env); // mistakes are told here, once, before a child is started
  const log = await session.log();
  const supervisor = superviseWorkers({
    script: process.argv[1] ?? '',
    args: childArguments(session, flags),
    processes: flags.processes,
    silenceMs: leaseMs,
    log,
    onReady: (pid) => session.print({ worker: pid }, () => [`worker process ${pid} is ready`]),
  });
  const metrics =
    flags.metricsPort === undefined
      ? undefined
      : await import('../worker-metrics.ts').then(({ serveWorkerMetrics }) =>
          serveWorkerMetrics({ host, port: flags.metricsPort ?? 0 }, supervisor.metrics),
        );
  if (metrics) session.note(`Metrics are at ${metrics.url}`);
  const end = await Promise.race([untilSignal(session.interrupts), supervisor.hopeless]);
  if (typeof end === 'number') {
    await supervisor.stop();
    process.exit(end); // the child has said why
  }
  session.note('Stopping; what runs may finish …');
  await supervisor.stop();
  await metrics?.close();
  if (end === 'SIGINT') session.endWith(INTERRUPTED);
}

function childArguments(session: Session, flags: Flags): string[] {
  return [
    'worker',
    '--child',
    ...(flags.concurrency === undefined ? [] : ['--concurrency', String(flags.concurrency)]),
    ...(flags.pools === undefined ? [] : ['--pools', flags.pools.join(',')]),
    ...['--grace-seconds', String(flags.graceSeconds)],
    ...(session.allowUnsafeRedis ? ['--allow-unsafe-redis'] : []),
  ];
}

function splitNames(text: string, before: readonly string[] = []): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  return [...new Set([...before, ...names.filter(Boolean)])];
}

/** A misspelt one would wait for ever. @throws UsageError, NotFoundError */
function checkPools(session: Session, names: readonly string[] | undefined): void {
  if (names?.length === 0) throw new UsageError('--pools names no pool: write it as --pools a,b.');
  const assets = [...session.deployment.assets.values()];
  const known = [...new Set(assets.flatMap(({ pool }) => pool ?? []))].sort();
  for (const name of names ?? []) {
    if (known.includes(name)) continue;
    throw new NotFoundError(`No asset is in the pool “${name.slice(0, 100)}”. Known: ${known.join(', ') || 'none'}.`);
  }
}

async function work(session: Session, flags: Flags): Promise<void> {
  const [{ startWorker }, { startUpkeep }] = await Promise.all([
    import('../../worker/worker.ts'),
    import('../../history/upkeep.ts'),
  ]);
  const [engine, log, resources] = await Promise.all([session.engine(), session.log(), session.resources()]);
  catchStrayErrors(log);
  const worker = await startWorker(engine, {
    log,
    resources,
    ...(flags.concurrency === undefined ? {} : { concurrency: flags.concurrency }),
    ...(flags.pools === undefined ? {} : { pools: flags.pools }),
  });
  const upkeep = startUpkeep(engine, log);
  log.info('the worker takes work', { worker: worker.id });
  tellParent('ready');
  process.on('message', (message) => {
    if (message === 'metrics')
      void worker.metrics.registry.getMetricsAsJSON().then((metrics) => tellParent({ metrics }));
  });
  const alive = setInterval(() => tellParent('alive'), ALIVE_EVERY_MS);
  // Without its supervisor nobody would stop it later.
  await Promise.race([untilTold(session), untilOrphaned()]);
  await upkeep.stop();
  await worker.stop(flags.graceSeconds * 1_000);
  clearInterval(alive);
  if (process.connected) process.disconnect();
}

function tellParent(message: ChildMessage): void {
  if (process.connected) process.send?.(message);
}

/** Ctrl-C reaches the whole process group: the supervisor turns it into the SIGTERM that counts. */
function untilTold(session: Session): Promise<unknown> {
  return new Promise((resolve) => {
    const wait = () => {
      const giveBack = session.interrupts.take((signal) => {
        if (signal === 'SIGTERM') return resolve(signal);
        giveBack();
        wait();
      });
    };
    wait();
  });
}
