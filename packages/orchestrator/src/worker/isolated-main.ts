/**
 * What runs in a thread or child process of its own: one attempt, under its own lease, and then the end. The deployment
 * is loaded again here, because user code does not cross a process border.
 */

import { pathToFileURL } from 'node:url';
import { parentPort } from 'node:worker_threads';

import type { Deployment } from '../definitions/deployment.ts';
import { ServiceError, WorkerStoppingError } from '../definitions/errors.ts';
import { openEngine } from '../engine/engine.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createScrub } from '../telemetry/scrub.ts';
import { executeAttempt } from './execute.ts';
import { SERVICE_AWAY } from './isolate.ts';
import { createLeaseKeeper } from './leases.ts';
import { untilOrphaned } from './orphaned.ts';
import { createResourcePool } from './resources.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

async function main(): Promise<void> {
  const {
    SKEIN_ISOLATED_FILE: file = '',
    SKEIN_ISOLATED_ATTEMPT: attempt = '',
    SKEIN_ISOLATED_WORKER: worker = '',
  } = process.env;
  const { deployment } = (await import(pathToFileURL(file).href)) as { readonly deployment: Deployment };
  const engine = await openEngine(deployment, { env: process.env, registers: false });
  const leases = createLeaseKeeper(engine);
  const resources = createResourcePool(deployment, engine.env, SILENT);
  onceToldToStop(() => leases.abortAll(new WorkerStoppingError('The worker is stopping; another one goes on.')));
  try {
    await executeAttempt(
      { engine, worker, leases, resources, metrics: createMetrics(), scrub: createScrub(engine.env) },
      { attempt },
    );
  } finally {
    leases.stop();
    await resources.close();
    await engine.close();
  }
}

/** By the worker, or by its death. Signals that a whole group is sent are the worker's to heed: it has a grace. */
function onceToldToStop(stop: () => void): void {
  if (parentPort) {
    parentPort.once('message', stop);
    return;
  }
  process.once('message', stop);
  void untilOrphaned().then(stop);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
}

// An error that reaches this far is told apart by the parent, which sees how the process ended and what it said last.
main().then(
  () => process.exit(0),
  (error: unknown) => {
    const said = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${createScrub(process.env)(said)}\n`, () =>
      process.exit(error instanceof ServiceError ? SERVICE_AWAY : 1),
    );
  },
);
