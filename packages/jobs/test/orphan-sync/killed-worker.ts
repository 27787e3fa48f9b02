/**
 * A worker of a real engine with the orphan sync's job, which kills itself with SIGKILL between two of its tasks: at the
 * point that `DIE_AT` names, the time that it is passed for the given time (`synced:2`). Without it, it lives.
 */

import {
  clickhouse,
  kafka,
  openClickHouse,
  openKafkaPublisher,
  parseBrokers,
  personsDbBinding,
  withTopicPrefix,
} from '@skein/jobs';
import { defineDeployment, defineJob, exponential, provide } from '@skein/orchestrator';
import { openEngine, startWorker } from '@skein/orchestrator/runtime';

import { syncPersonDistinctIds } from '../../src/orphan-sync/asset.ts';
import { MAPPING_TOPIC } from '../../src/orphan-sync/messages.ts';

/**
 * `found`: between find_orphaned_persons and lookup_pg_distinct_ids; `looked-up`: before sync_distinct_ids_to_ch sends;
 * `synced`: after it, before mark_ch_only_orphans_deleted; `marked`: after that one, before the next batch; `read-back`:
 * after what was sent has been read back.
 */
export const POINTS = ['found', 'looked-up', 'synced', 'marked', 'read-back'] as const;
type Point = (typeof POINTS)[number];

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

export function deploymentThatDies(dieAt: string | undefined) {
  const [name, times = '1'] = (dieAt ?? '').split(':');
  let passed = 0;
  const pass = async (point: Point): Promise<void> => {
    if (point !== name || ++passed !== Number(times)) return;
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => {});
  };
  // The job as it is, but for the wait between two attempts.
  const retries = { attempts: 5, backoff: exponential('50ms') };
  const job = defineJob({
    name: 'sync_person_distinct_ids_job',
    description: 'Repairs a team.',
    assets: [{ ...syncPersonDistinctIds, retries }],
  });
  return defineDeployment({
    definitions: { jobs: [job], sensors: [] },
    resources: [
      personsDbBinding,
      provide(clickhouse, {
        open: async ({ env }) => {
          const real = openClickHouse(env.SKEIN_CLICKHOUSE_URL ?? '');
          return {
            ...real,
            async *stream<T>(sql: string, options?: Parameters<typeof real.stream>[1]) {
              yield* real.stream<T>(sql, options);
              await pass('found');
            },
            async rows<T>(sql: string, options?: Parameters<typeof real.rows>[1]) {
              const rows = await real.rows<T>(sql, options);
              if (options?.params && 'distinct_ids' in options.params) await pass('read-back');
              return rows;
            },
          };
        },
        close: (real) => real.close(),
      }),
      provide(kafka, {
        open: async ({ env }) => {
          const real = withTopicPrefix(
            openKafkaPublisher(parseBrokers(env.SKEIN_KAFKA_BROKERS)),
            env.KAFKA_PREFIX ?? '',
          );
          return {
            ...real,
            async publish(topic, messages, options) {
              const isMapping = topic === MAPPING_TOPIC;
              if (isMapping) await pass('looked-up');
              await real.publish(topic, messages, options);
              await pass(isMapping ? 'synced' : 'marked');
            },
          };
        },
        close: (real) => real.close(),
      }),
    ],
  });
}

async function main(): Promise<void> {
  const engine = await openEngine(deploymentThatDies(process.env.DIE_AT), { env: process.env });
  await startWorker(engine, { log: SILENT, concurrency: 1 });
  process.stdout.write('ready\n');
}

if (process.argv[1]?.endsWith('killed-worker.ts')) main().catch(() => process.exit(1));
