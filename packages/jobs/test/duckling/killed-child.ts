/**
 * A process that makes one partition and may kill itself, without any clean-up, at a named boundary or some milliseconds
 * after it. Told what to do by environment variables; run by kill.test.ts.
 */

import { ducklingEventsBackfill, openClickHouse, openDucklings } from '@skein/jobs';
import { runAsset } from '@skein/orchestrator/testing';

const {
  CHILD_PARTITION = '',
  CHILD_RUN = '',
  CHILD_ATTEMPT = '1',
  CHILD_KILL_AT = '',
  CHILD_KILL_AFTER_MS,
} = process.env;

const die = (): never => {
  process.kill(process.pid, 'SIGKILL');
  for (;;); // the signal arrives before the next statement would
};
const boundary = (name: string) => {
  if (name !== CHILD_KILL_AT) return;
  if (CHILD_KILL_AFTER_MS === undefined) die();
  else setTimeout(die, Number(CHILD_KILL_AFTER_MS));
};

async function main(): Promise<void> {
  const clickhouse = openClickHouse(process.env.SKEIN_CLICKHOUSE_URL ?? '');
  const ducklings = openDucklings(process.env);
  const wrapped: typeof ducklings = {
    ...ducklings,
    lake(duckling) {
      const lake = ducklings.lake(duckling);
      return {
        ...lake,
        read: (signal, work) => {
          boundary('before the lake is opened');
          return lake.read(signal, work);
        },
        write: async (signal, work) => {
          boundary('before the transaction');
          const done = await lake.write(signal, async (tx) => {
            boundary('in the transaction, before its work');
            const rows: typeof tx.rows = async (sql, params) => {
              const answer = await tx.rows(sql, params);
              if (sql.startsWith('DELETE')) boundary('after the delete');
              if (sql.includes('add_data_files')) boundary('after the file is added');
              return answer as never;
            };
            const value = await work({ ...tx, rows });
            boundary('before the commit');
            return value;
          });
          boundary('after the commit');
          return done;
        },
      };
    },
  };
  const exporting: typeof clickhouse = {
    ...clickhouse,
    command: async (sql, options) => {
      boundary('before the export');
      const done = await clickhouse.command(sql, options);
      boundary('after the export');
      return done;
    },
  };
  boundary('at the start');
  const result = await runAsset(ducklingEventsBackfill, {
    partition: CHILD_PARTITION,
    resources: { clickhouse: exporting, ducklings: wrapped },
    runId: CHILD_RUN,
    attempt: Number(CHILD_ATTEMPT),
  });
  await ducklings.close();
  await clickhouse.close();
  if (result.error) process.stderr.write(`${String(result.error)}\n`);
  process.exit(result.status === 'SUCCESS' ? 0 : 1);
}

main().catch(() => process.exit(2));
