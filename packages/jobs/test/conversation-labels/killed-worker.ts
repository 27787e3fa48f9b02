/**
 * A worker of a real engine with the labelling job, which kills itself with SIGKILL in the unit state that `DIE_AT`
 * names; without it, it lives.
 */

import { appDbBinding, clickhouse, clickhouseBinding, labelConversations, openClickHouse } from '@skein/jobs';
import { defineDeployment, defineJob, exponential, provide } from '@skein/orchestrator';
import { openEngine, startWorker } from '@skein/orchestrator/runtime';

import { type CrashPoint, crashingAt } from './crashing-run.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

export function deploymentThatDies(dieAt: string | undefined) {
  // The job as it is, but for the wait between two attempts.
  const retries = { attempts: 3, backoff: exponential('50ms') };
  const job = defineJob({
    name: 'label_conversations_job',
    description: 'Relabels.',
    assets: [{ ...labelConversations, retries }],
  });
  const crashing = provide(clickhouse, {
    open: async ({ env }) => crashingAt(dieAt as CrashPoint, openClickHouse(env.SKEIN_CLICKHOUSE_URL ?? '')),
    close: (client) => client.close(),
  });
  return defineDeployment({
    definitions: { jobs: [job], sensors: [] },
    resources: [appDbBinding, dieAt === undefined ? clickhouseBinding : crashing],
  });
}

async function main(): Promise<void> {
  const engine = await openEngine(deploymentThatDies(process.env.DIE_AT), { env: process.env });
  await startWorker(engine, { log: SILENT, concurrency: 1 });
  process.stdout.write('ready\n');
}

if (process.argv[1]?.endsWith('killed-worker.ts')) main().catch(() => process.exit(1));
