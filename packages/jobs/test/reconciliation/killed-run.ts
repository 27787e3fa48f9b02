/** A reconciliation in a process of its own, to be killed: it waits for that after `KILL_AT` publications. */

import { runAsset } from '@skein/orchestrator/testing';

import { personPropertyReconciliation } from '../../src/reconciliation/asset.ts';
import { openClickHouse } from '../../src/resources/clickhouse.ts';
import { openPersonsDb } from '../../src/resources/postgres.ts';

async function main(): Promise<void> {
  const killAt = Number(process.env.KILL_AT);
  let publications = 0;
  await runAsset(personPropertyReconciliation, {
    config: JSON.parse(process.env.RUN_CONFIG ?? '{}') as never,
    runId: 'killed',
    now: new Date(process.env.RUN_NOW ?? 0),
    resources: {
      clickhouse: openClickHouse(process.env.CH_URL ?? ''),
      personsDb: openPersonsDb(process.env.PG_URL, undefined),
      kafka: {
        // Committed, not yet published.
        publish: async () => {
          if (++publications === killAt) process.kill(process.pid, 'SIGKILL');
        },
        ping: async () => '',
        close: async () => {},
      },
    },
  });
  process.exit(0);
}

void main();
