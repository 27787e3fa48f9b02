/** A ledger with a history of its own, and ways to fill it. */

import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { createClient } from '../../src/engine/client.ts';
import { type Behaviour, type Harness, openHarness, testDeployment, until } from '../engine/harness.ts';

export interface HistoryHarness extends Harness {
  readonly client: ReturnType<typeof createClient>;
  readonly dir: string;
  /** Parquet files, relative to the directory. */
  files(): Promise<string[]>;
  /** Submits one run of one partition for each key and waits for their ends. */
  work(keys: readonly string[], runKeys?: boolean): Promise<string[]>;
}

export async function openHistory(
  behave: Behaviour,
  options: { readonly env?: Record<string, string>; readonly deployment?: Parameters<typeof testDeployment>[1] } = {},
): Promise<HistoryHarness> {
  const dir = await mkdtemp(path.join(tmpdir(), 'skein-test-history-'));
  const env = { SKEIN_HISTORY_URL: pathToFileURL(dir).href, ...options.env };
  const h = await openHarness(testDeployment(behave, options.deployment), env);
  const client = createClient(h.engine);
  return {
    ...h,
    client,
    dir,
    files: async () => (await namesIn(dir)).filter((name) => name.endsWith('.parquet')).sort(),
    async work(keys, runKeys = false) {
      const ids = await Promise.all(
        keys.map(async (key) => {
          const request = { job: 'events_job', partitions: [key], cause: 'test', ...(runKeys ? { runKey: key } : {}) };
          return (await client.submit(request)).runId;
        }),
      );
      await until(
        () => h.engine.redis.scard(h.engine.keys.openRuns('events_job')),
        (open) => open === 0,
        60_000,
      );
      return ids;
    },
    async close() {
      await h.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export const days = (team: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${team}_${new Date(Date.UTC(2024, 0, 1 + i)).toISOString().slice(0, 10)}`);

/** Read again where a folder went away in the middle of it: an archiver is at work. */
async function namesIn(dir: string): Promise<string[]> {
  for (;;) {
    try {
      return await readdir(dir, { recursive: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || !existsSync(dir)) throw error;
    }
  }
}
