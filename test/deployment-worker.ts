/** A worker of the project's own deployment, for tests that kill it. */

import { type Deployment } from '@skein/orchestrator';
import { openEngine, startWorker } from '@skein/orchestrator/runtime';

import { deployment } from '../skein.config.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

async function main(definitions: Deployment): Promise<void> {
  const engine = await openEngine(definitions, { env: process.env });
  await startWorker(engine, { log: SILENT, concurrency: 10 });
  process.stdout.write('ready\n');
}

main(deployment).catch((error: unknown) => {
  process.stderr.write(String(error));
  process.exit(1);
});
