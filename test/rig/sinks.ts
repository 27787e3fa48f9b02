/**
 * Where deeds leave their effect in a real system, through the clients that jobs have: a row in ClickHouse or PostgreSQL,
 * a record in Kafka, an object in S3. Every effect carries what it is (`run|key`) and the epoch of the attempt that made
 * it, so that whoever reads the system afterwards knows what lies there and who wrote it.
 */

import { FencedError, type OpenContext, provide, resource } from '@skein/orchestrator';
import { z } from 'zod';

import type { Found } from './checker.ts';

export const SinkName = z.enum(['clickhouse', 'postgres', 'kafka', 's3']);
export type SinkName = z.infer<typeof SinkName>;

export interface Effect {
  readonly id: string;
  readonly epoch: number;
}

interface Sink {
  write(effect: Effect, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Of the rig's tables, topic and bucket. */
export const PLACE = { table: 'rig_effects', topic: 'rig_effects' } as const;

export const sinks = resource<ReadonlyMap<SinkName, Sink>>('sinks', 'where deeds leave their effects');

/** The clients are loaded where they are used: a process that is killed a thousand times starts without them. */
const LOAD = {
  clickhouse: () => import('../../packages/jobs/src/resources/clickhouse.ts'),
  postgres: () => import('../../packages/jobs/src/resources/postgres.ts'),
  kafka: () => import('../../packages/jobs/src/resources/kafka-publisher.ts'),
  s3: () => import('../../packages/jobs/src/resources/object-store.ts'),
};

const OPEN: Readonly<Record<SinkName, (context: OpenContext) => Promise<Sink>>> = {
  async clickhouse(context) {
    const { clickhouse, clickhouseBinding } = await LOAD.clickhouse();
    const client = await openedBy(clickhouse, clickhouseBinding, context);
    return {
      write: (effect, signal) =>
        client.insert(PLACE.table, [effect], {
          signal,
          settings: { async_insert: 0, insert_deduplication_token: `${effect.id}:${effect.epoch}` },
        }),
      close: () => client.close(),
    };
  },
  async postgres(context) {
    const { appDb, appDbBinding, inTransaction } = await LOAD.postgres();
    const pool = await openedBy(appDb, appDbBinding, context);
    return {
      write: ({ id, epoch }, signal) =>
        inTransaction(pool, signal, async (client) => {
          const { rowCount } = await client.query(
            `INSERT INTO ${PLACE.table} AS old (id, epoch) VALUES ($1, $2)
             ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch WHERE old.epoch <= excluded.epoch`,
            [id, epoch],
          );
          if (rowCount === 0) throw new FencedError('PostgreSQL has seen a newer epoch.');
        }),
      close: () => pool.end(),
    };
  },
  async kafka(context) {
    const [{ kafka }, { kafkaBinding }] = await Promise.all([
      import('../../packages/jobs/src/resources/kafka.ts'),
      LOAD.kafka(),
    ]);
    const publisher = await openedBy(kafka, kafkaBinding, context);
    return {
      write: ({ id, epoch }, signal) => publisher.publish(PLACE.topic, [{ key: id, value: String(epoch) }], { signal }),
      close: () => publisher.close(),
    };
  },
  async s3({ env }) {
    const { parseObjectStore } = await LOAD.s3();
    const store = parseObjectStore(env);
    const place = { bucket: env.RIG_BUCKET ?? '', region: env.AWS_REGION ?? '' };
    const keys = s3Keys(env);
    return {
      async write({ id, epoch }, signal) {
        const bucket = store.bucket(place, keys, signal);
        try {
          await bucket.put(encodeURIComponent(id), String(epoch));
        } finally {
          bucket.close();
        }
      },
      close: () => Promise.resolve(),
    };
  },
};

/** The rig's own, which do not end. */
export function s3Keys(env: Readonly<Record<string, string | undefined>>) {
  const keys = {
    accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
    sessionToken: undefined,
    expiresAt: undefined,
  };
  return { current: () => Promise.resolve(keys), refused: () => false };
}

export async function loadSinks(names: readonly SinkName[]): Promise<void> {
  for (const name of names) await LOAD[name]();
}

/** A binding's value is of its token's type; bindings of many kinds lie in one list, so they do not say so. */
async function openedBy<T>(
  _token: { readonly type?: T },
  binding: ReturnType<typeof provide>,
  context: OpenContext,
): Promise<T> {
  return (await binding.open(context)) as T;
}

export const sinksBinding = (names: readonly SinkName[]) =>
  provide(sinks, {
    open: async (context) =>
      new Map(await Promise.all(names.map(async (name) => [name, await OPEN[name](context)] as const))),
    async close(opened) {
      for (const sink of opened.values()) await sink.close();
    },
  });

/** By what an effect is, so that its reader knows where to look. */
export function sinkOf(names: readonly SinkName[], id: string): SinkName | undefined {
  return names[[...id].reduce((sum, c) => sum + c.charCodeAt(0), 0) % names.length];
}

/** What lies there: of each effect the epochs of all its copies. */
export function foundIn(sink: SinkName, copies: readonly Effect[]): Found[] {
  const epochs = new Map<string, number[]>();
  for (const { id, epoch } of copies) epochs.set(id, [...(epochs.get(id) ?? []), Number(epoch)]);
  return [...epochs].map(([id, all]) => ({ sink, id, epochs: all }));
}
