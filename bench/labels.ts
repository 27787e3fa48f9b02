/**
 * Relabelling at the size of the incident: 1,510,418 conversations of 49 days, 1,636,467 stale label rows with 3,191
 * duplicates, in one bulk backfill by the asset itself, verification included. Beside it, in the same run: the bare
 * statements on the same data, and the 16.5 minutes that the original took.
 */

import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { type ClickHouse, createPool, labelConversations, openClickHouse } from '@skein/jobs';
import { addDays } from '@skein/orchestrator';
import { runAsset } from '@skein/orchestrator/testing';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';

import { type LabelsSample, loadLabelsSample } from '../infra/embedded/src/demo/labels-sample.ts';
import { applyClickHouseSchema, applyPostgresSchema } from '../infra/embedded/src/schemas.ts';
import { type Bench, type BenchOptions, type BenchRow, median, row } from './bench.ts';

const SEED = { conversations: 1_510_418, labelRows: 1_636_467, duplicates: 3_191, days: 49, seconds: 16.5 * 60 };
const FIRST_DAY = '2026-01-01';
const CUSTOMER = 'alaska-air';

export const bench: Bench = {
  name: 'labels',
  summary: 'relabelling 1.5 million conversations beside the bare statements',
  async run(options) {
    const ours: Record<string, number[]> = {};
    const bare: Record<string, number[]> = {};
    const note = (into: Record<string, number[]>, name: string, seconds: number) =>
      void (into[name] ??= []).push(seconds);
    for (let round = 1; round <= options.rounds; round++) {
      for (const mode of ['delete-insert', 'swap'] as const) {
        const place = await openPlace(options);
        try {
          const phases = await relabel(place, mode);
          for (const [name, seconds] of Object.entries(phases)) note(ours, `${mode}: ${name}`, seconds);
          options.note(
            `round ${round}, ${mode}: ${Object.entries(phases)
              .map(([name, s]) => `${name} ${s.toFixed(1)} s`)
              .join(', ')}`,
          );
        } finally {
          await place.close();
        }
      }
      const place = await openPlace(options);
      try {
        for (const [name, seconds] of Object.entries(await bareStatements(place))) note(bare, name, seconds);
        options.note(
          `round ${round}, bare: ${Object.entries(bare)
            .map(([name, s]) => `${name} ${(s.at(-1) ?? 0).toFixed(1)} s`)
            .join(', ')}`,
        );
      } finally {
        await place.close();
      }
    }
    return rowsOf(ours, bare, options);
  },
};

function rowsOf(ours: Record<string, number[]>, bare: Record<string, number[]>, options: BenchOptions): BenchRow[] {
  const of = (table: Record<string, number[]>, name: string) => table[name] ?? [];
  const seed = SEED.seconds * options.scale;
  const beyond = of(ours, 'delete-insert: delete').map((seconds) => Math.max(0, seconds - median(of(bare, 'delete'))));
  const s = { unit: 's' };
  return [
    row('whole backfill, verified, delete-insert', of(ours, 'delete-insert: whole'), [seed], {
      ...s,
      otherIs: 'the original, 16.5 minutes',
      target: '≤ 0.1',
    }),
    row('whole backfill, verified, swap', of(ours, 'swap: whole'), [seed], {
      ...s,
      otherIs: 'the original, 16.5 minutes',
      target: '≤ 0.1',
    }),
    row('delete beyond the bare mutation', beyond, [2], { ...s, otherIs: 'the limit of 2 s', target: '≤ 1' }),
    row('find affected conversations', of(ours, 'delete-insert: find affected conversations'), of(bare, 'copy ids'), {
      ...s,
      otherIs: 'bare COPY of the ids to nowhere',
    }),
    row('write all days', of(ours, 'delete-insert: days'), of(bare, 'copy rows'), {
      ...s,
      otherIs: 'one bare COPY of the rows to nowhere, no labels',
    }),
    row('verify', of(ours, 'delete-insert: verify'), of(bare, 'compare'), {
      ...s,
      otherIs: 'a bare count of rows and distinct ids',
    }),
  ];
}

interface BenchPlace {
  readonly appDb: pg.Pool;
  readonly clickhouse: ClickHouse;
  readonly database: string;
  close(): Promise<void>;
}

let places = 0;

async function openPlace({ scale, note }: BenchOptions): Promise<BenchPlace> {
  const name = `bench_labels_${process.pid}_${++places}`;
  const [postgresUrl, clickhouseUrl] = [process.env.SKEIN_APP_DB_URL ?? '', process.env.SKEIN_CLICKHOUSE_URL ?? ''].map(
    (url) => url.replace(/\/[^/?]*(\?|$)/, `/${name}$1`),
  );
  const owner = new pg.Client({ connectionString: process.env.SKEIN_APP_DB_URL });
  await owner.connect();
  await owner.query(`CREATE DATABASE ${name}`);
  const base = openClickHouse(process.env.SKEIN_CLICKHOUSE_URL ?? '');
  await base.command(`CREATE DATABASE ${name}`);
  await applyPostgresSchema(postgresUrl ?? '', 'conversations');
  await applyClickHouseSchema(clickhouseUrl ?? '', 'conversations');
  const appDb = createPool(postgresUrl ?? '');
  const clickhouse = openClickHouse(clickhouseUrl ?? '');
  const conversations = Math.round(SEED.conversations * scale);
  const duplicates = Math.round(SEED.duplicates * scale);
  const sample: LabelsSample = {
    customer: CUSTOMER,
    database: name,
    firstDay: FIRST_DAY,
    days: SEED.days,
    conversations,
    duplicates,
    surplus: Math.round(SEED.labelRows * scale) - conversations - duplicates,
  };
  const begun = performance.now();
  await loadLabelsSample(appDb, clickhouse, sample);
  note(`sample of ${conversations} conversations loaded in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  return {
    appDb,
    clickhouse,
    database: name,
    async close() {
      await appDb.end();
      await clickhouse.close();
      await base.command(`DROP DATABASE ${name} SYNC`);
      await base.close();
      await owner.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await owner.end();
    },
  };
}

/** Seconds by phase; throws unless every row agrees with the source afterwards. */
async function relabel({ appDb, clickhouse }: BenchPlace, mode: string): Promise<Record<string, number>> {
  const seconds: Record<string, number> = {};
  const { tasks } = labelConversations;
  if (!tasks) throw new TypeError('the asset fans out');
  const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const begun = performance.now();
    try {
      return await work();
    } finally {
      seconds[name] = (seconds[name] ?? 0) + (performance.now() - begun) / 1000;
    }
  };
  const clocked = <C extends { phase<T>(name: string, work: () => Promise<T>): Promise<T> }>(context: C): C => ({
    ...context,
    phase: timed,
  });
  const asset: typeof labelConversations = {
    ...labelConversations,
    tasks: {
      plan: (context) => tasks.plan(clocked(context)),
      run: (context) => timed('days', () => tasks.run(clocked(context))),
      settle: (context) => tasks.settle(clocked(context)),
    },
  };
  const days = Array.from({ length: SEED.days }, (_, i) => `${CUSTOMER}_${addDays(FIRST_DAY, i)}`);
  const run = await timed('whole', () =>
    runAsset(asset, { partitions: days, config: { mode }, resources: { clickhouse, appDb }, runId: `BENCH${places}` }),
  );
  if (run.error instanceof Error) throw run.error;
  const failed = [...run.partitions].find(([, outcome]) => outcome.kind === 'failed');
  if (failed) throw new TypeError(`${failed[0]}: ${JSON.stringify(failed[1])}`);
  return seconds;
}

/** What the work consists of at the least, on the same data: nothing is compared, nothing can be resumed. */
async function bareStatements({ appDb, clickhouse, database }: BenchPlace): Promise<Record<string, number>> {
  const timed = async (work: () => Promise<unknown>) => {
    const begun = performance.now();
    await work();
    return (performance.now() - begun) / 1000;
  };
  const range = `customer_id = '${CUSTOMER}' AND ended_at >= '${FIRST_DAY}' AND ended_at < '${addDays(FIRST_DAY, SEED.days)}'`;
  const copy = async (columns: string) => {
    const client = await appDb.connect();
    try {
      await pipeline(
        client.query(copyTo(`COPY (SELECT ${columns} FROM app.chats WHERE ${range}) TO STDOUT`)),
        new Writable({ write: (_chunk, _encoding, done) => done() }),
      );
    } finally {
      client.release();
    }
  };
  const table = `${database}.conversation_with_labels`;
  return {
    'copy ids': await timed(() => copy('profile_id, conversation_id')),
    'copy rows': await timed(() =>
      copy('customer_id, profile_id, conversation_id, agent_user_id, usecase_id, created_at, ended_at, source'),
    ),
    compare: await timed(() => clickhouse.rows(`SELECT count(), uniqExact(conversation_id) FROM ${table}`)),
    delete: await timed(() =>
      clickhouse.command(
        `ALTER TABLE ${table} DELETE WHERE customer_id = '${CUSTOMER}' AND conversation_end_time >= '${FIRST_DAY} 00:00:00' AND conversation_end_time < '${addDays(FIRST_DAY, SEED.days)} 00:00:00'`,
        { settings: { mutations_sync: '2' } },
      ),
    ),
  };
}
