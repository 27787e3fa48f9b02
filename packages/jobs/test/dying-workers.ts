/**
 * A real engine with short leases over a ledger of the test's own, and worker processes that kill themselves at the point
 * that `DIE_AT` names; a worker without one lives until the test ends.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

import type { Deployment } from '@skein/orchestrator';
import { type Engine, openEngine } from '@skein/orchestrator/runtime';

import { testRedis } from '../../../infra/embedded/test-services/index.ts';

const ROOT = path.resolve(__dirname, '../../..');

export interface DyingWorkers {
  readonly engine: Engine;
  start(dieAt?: string): ChildProcess;
  close(): Promise<void>;
}

/** @param script what a worker process runs */
export async function openDyingWorkers(
  script: string,
  deployment: Deployment,
  services: Readonly<Record<string, string | undefined>>,
): Promise<DyingWorkers> {
  const { url, prefix } = testRedis();
  const env = {
    ...services,
    SKEIN_REDIS_URL: url,
    SKEIN_REDIS_PREFIX: `{${prefix}}`,
    SKEIN_LEASE_MS: '1000',
    SKEIN_LEASE_RENEW_MS: '200',
    SKEIN_PULSE_MS: '100',
    SKEIN_RESEND_MS: '500',
    SKEIN_MAX_LOST: '20',
  };
  const engine = await openEngine(deployment, { env });
  const children = new Set<ChildProcess>();
  return {
    engine,
    start(dieAt) {
      const child = spawn(process.execPath, ['-C', 'source', '--import', 'tsx', script], {
        cwd: ROOT,
        env: { ...process.env, ...env, ...(dieAt === undefined ? {} : { DIE_AT: dieAt }) },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      children.add(child);
      child.once('exit', () => children.delete(child));
      return child;
    },
    async close() {
      await Promise.all([...children].map((child) => (child.kill('SIGKILL'), once(child, 'exit'))));
      const keys = await engine.redis.keys(`${env.SKEIN_REDIS_PREFIX}*`);
      if (keys.length > 0) await engine.redis.del(...keys);
      await engine.close();
    },
  };
}
