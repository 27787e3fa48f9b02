/**
 * The orphan sync beside what it is made of, in one run and in turn: discovery in a team of a million persons beside
 * the bare query, and looking up and publishing a hundred thousand distinct ids beside the bare Kafka client with the
 * same messages. The memory of a whole scan is measured in a process of its own.
 */

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

import {
  type ClickHouse,
  type PersonsDb,
  type Publisher,
  defineOrphanSync,
  openClickHouse,
  openKafkaPublisher,
  openPersonsDb,
} from '@skein/jobs';
import { runAsset } from '@skein/orchestrator/testing';
import kafkajs from 'kafkajs';
import pg from 'pg';

import { applyClickHouseSchema, applyPostgresSchema } from '../infra/embedded/src/schemas.ts';
import { createTopics } from '../infra/embedded/src/topics.ts';
import { TeamInClickHouse } from '../packages/jobs/src/orphan-sync/clickhouse-reads.ts';
import { MAPPING_TOPIC, mappingMessage } from '../packages/jobs/src/orphan-sync/messages.ts';
import { findOrphanedPersons } from '../packages/jobs/src/orphan-sync/sql.ts';
import { type Bench, type BenchOptions, type BenchRow, row } from './bench.ts';

const BIG_TEAM = { id: 1, persons: 1_000_000, orphans: 10_000 };
const SYNC_TEAM = { id: 2, distinctIds: 100_000 };
const MEMORY_LIMIT_MB = 300;
const NEVER = new AbortController().signal;

/** The original's query, for comparison; on unmerged parts its FINAL costs more. */
const SEED_QUERY = `
SELECT id AS person_id, team_id, created_at, version FROM person FINAL
WHERE team_id = {team_id:Int64} AND is_deleted = 0
  AND id NOT IN (SELECT DISTINCT person_id FROM person_distinct_id2 FINAL WHERE team_id = {team_id:Int64})
ORDER BY created_at ASC`;

export const bench: Bench = {
  name: 'orphan-sync',
  summary: 'discovery and publishing beside the bare query and client',
  async run(options) {
    const place = await openPlace(options);
    try {
      return [
        ...(await measureDiscovery(place, options)),
        await measureMemory(place),
        ...(await measurePublishing(place, options)),
      ];
    } finally {
      await place.close();
    }
  },
};

type Place = Awaited<ReturnType<typeof openPlace>>;

async function openPlace({ note, scale }: BenchOptions) {
  const name = `bench_orphans_${randomBytes(4).toString('hex')}`;
  const at = (url: string | undefined) => Object.assign(new URL(url ?? ''), { pathname: `/${name}` }).href;
  const env = { clickhouse: at(process.env.SKEIN_CLICKHOUSE_URL), persons: at(process.env.PERSONS_DB_WRITER_URL) };
  const brokers = process.env.SKEIN_KAFKA_BROKERS ?? '';
  const server = openClickHouse(process.env.SKEIN_CLICKHOUSE_URL ?? '');
  await server.command(`CREATE DATABASE ${name}`);
  await applyClickHouseSchema(env.clickhouse, 'persons');
  const admin = new pg.Client(process.env.PERSONS_DB_WRITER_URL);
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  await applyPostgresSchema(env.persons, 'persons');
  await createTopics(brokers, [`${name}.${MAPPING_TOPIC}`]);

  const clickhouse: ClickHouse = openClickHouse(env.clickhouse);
  const personsDb: PersonsDb = openPersonsDb(env.persons, undefined);
  note('loading a team of a million persons, and one of a hundred thousand orphans');
  await load(clickhouse, personsDb, scale);
  return {
    env,
    brokers,
    topic: `${name}.${MAPPING_TOPIC}`,
    clickhouse,
    personsDb,
    async close() {
      await clickhouse.close();
      await personsDb.writer.end();
      await server.command(`DROP DATABASE ${name} SYNC`);
      await server.close();
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}

/** The same hash in both databases. Every tenth person and id has a second, newer row, in parts that are not merged. */
async function load(clickhouse: ClickHouse, { writer }: PersonsDb, scale: number): Promise<void> {
  const uuid = `toUUID(lower(hex(MD5(concat({team:String}, ' ', toString(number))))))`;
  const persons = `INSERT INTO person (id, created_at, team_id, properties, is_identified, is_deleted, version, _timestamp, _offset)
    SELECT ${uuid}, toDateTime64('2024-01-01 00:00:00', 3, 'UTC') + number, toInt64({team:String}), '{"email":"someone@example.com"}', 0, 0, {version:UInt8}, now(), number
    FROM numbers({rows:UInt64}) WHERE number % {every:UInt64} = 0`;
  const mappings = `INSERT INTO person_distinct_id2 (team_id, distinct_id, person_id, is_deleted, version, _timestamp, _offset, _partition)
    SELECT toInt64({team:String}), lower(hex(MD5(concat('id ', toString(number))))), ${uuid}, 0, {version:UInt8}, now(), number, 0
    FROM numbers({rows:UInt64}) WHERE number % {orphan_every:UInt64} != 0 AND number % {every:UInt64} = 0`;
  const rows = BIG_TEAM.persons * scale;
  for (const table of ['person', 'person_distinct_id2']) await clickhouse.command(`SYSTEM STOP MERGES ${table}`);
  for (const [version, every] of [
    [0, 1],
    [1, 10],
  ]) {
    await clickhouse.command(persons, { params: { team: String(BIG_TEAM.id), rows, version, every } });
    await clickhouse.command(mappings, {
      params: { team: String(BIG_TEAM.id), rows, version, every, orphan_every: BIG_TEAM.persons / BIG_TEAM.orphans },
    });
  }
  const ids = SYNC_TEAM.distinctIds * scale;
  await clickhouse.command(persons, { params: { team: String(SYNC_TEAM.id), rows: ids, version: 0, every: 1 } });
  await writer.query(
    `INSERT INTO posthog_person (created_at, uuid, version, team_id) SELECT now(), md5($1::text || ' ' || n)::uuid, 0, $1::int FROM generate_series(0, $2::bigint - 1) AS n`,
    [String(SYNC_TEAM.id), ids],
  );
  await writer.query(
    `INSERT INTO posthog_persondistinctid (distinct_id, version, person_id, team_id) SELECT 'id-' || uuid, id % 3, id, team_id FROM posthog_person WHERE team_id = $1`,
    [SYNC_TEAM.id],
  );
  await writer.query('ANALYZE');
}

async function measureDiscovery(
  { clickhouse, env }: Place,
  { note, rounds, scale }: BenchOptions,
): Promise<BenchRow[]> {
  const team = new TeamInClickHouse(clickhouse, BIG_TEAM.id, NEVER);
  const page = { after: null, upTo: null, rows: 50_000 * scale };
  const params = { team_id: BIG_TEAM.id, rows: page.rows };
  const bare = findOrphanedPersons({ onlyPersons: false, after: false, upTo: false });
  const [ours, theirs, seeds]: [number[], number[], number[]] = [[], [], []];
  // The first round warms the caches and does not count.
  // A query takes half a second, so there is time for more rounds than asked for, and one stray pause does not decide.
  for (let round = 0; round <= rounds * 3; round++) {
    note(`discovery, round ${round} of ${rounds * 3}`);
    const times = [
      await timed(
        () => team.orphans(null, page),
        (found) => found.length,
      ),
      await timed(() => bareQuery(env.clickhouse, bare, params), lines),
      await timed(() => bareQuery(env.clickhouse, SEED_QUERY, params), lines),
    ];
    for (const { rows } of times) if (rows !== BIG_TEAM.orphans * scale) throw new Error(`found ${rows} orphans`);
    if (round > 0) [ours, theirs, seeds].forEach((list, i) => list.push(times[i]?.ms ?? 0));
  }
  const work = `find ${BIG_TEAM.orphans * scale} orphans among ${BIG_TEAM.persons * scale} persons`;
  return [
    row(work, ours, theirs, { otherIs: 'the bare query over HTTP', unit: 'ms', target: '≤ 1.2' }),
    row(work, ours, seeds, { otherIs: "the original's query with FINAL, bare", unit: 'ms' }),
  ];
}

/** One HTTP request, read to its end and not parsed. */
async function bareQuery(url: string, sql: string, params: Readonly<Record<string, number>>): Promise<string> {
  const { username, password, origin, pathname } = new URL(url);
  const query = new URLSearchParams({ database: pathname.slice(1), default_format: 'JSONEachRow' });
  for (const [name, value] of Object.entries(params)) query.set(`param_${name}`, String(value));
  const authorization = `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`;
  const answer = await fetch(`${origin}/?${query}`, { method: 'POST', body: sql, headers: { authorization } });
  return answer.text();
}

const lines = (text: string) => text.split('\n').length - 1;

async function measureMemory({ env }: Place): Promise<BenchRow> {
  const code = `import(${JSON.stringify(import.meta.url)}).then((m) => m.scanOnce())`;
  const { stdout } = await promisify(execFile)(process.execPath, ['-C', 'source', '--import', 'tsx', '-e', code], {
    env: { ...process.env, BENCH_CLICKHOUSE_URL: env.clickhouse, BENCH_PERSONS_URL: env.persons },
  });
  const { peakMb } = JSON.parse(stdout) as { peakMb: number };
  return row('peak memory of a process that scans that team', [peakMb], [MEMORY_LIMIT_MB], {
    otherIs: 'the limit',
    unit: 'MB',
    target: '≤ 1',
  });
}

/** In a process of its own: a whole dry run over the big team. */
export async function scanOnce(): Promise<void> {
  const clickhouse = openClickHouse(process.env.BENCH_CLICKHOUSE_URL ?? '');
  const personsDb = openPersonsDb(process.env.BENCH_PERSONS_URL, undefined);
  const kafka: Publisher = {
    publish: () => Promise.reject(new Error('a dry run publishes nothing')),
    ping: async () => '',
    close: async () => {},
  };
  const run = await runAsset(defineOrphanSync(), {
    partition: `${BIG_TEAM.id}_2026-01-01`,
    config: { categorize_orphans: true },
    resources: { clickhouse, personsDb, kafka },
  });
  if (run.error instanceof Error) throw run.error;
  await clickhouse.close();
  await personsDb.writer.end();
  process.stdout.write(
    JSON.stringify({ peakMb: process.resourceUsage().maxRSS / 1024, found: run.result?.total_orphaned_persons }),
  );
}

/** Nothing consumes the topic, so the team stays as it is and every round does the same. */
async function measurePublishing(place: Place, { note, rounds, scale }: BenchOptions): Promise<BenchRow[]> {
  const ids = SYNC_TEAM.distinctIds * scale;
  const { rows } = await place.personsDb.reader.query<{ uuid: string; distinct_id: string; version: string }>(
    'SELECT person.uuid, distinct_id, mapping.version FROM posthog_persondistinctid AS mapping JOIN posthog_person AS person ON person.id = person_id AND person.team_id = mapping.team_id WHERE mapping.team_id = $1',
    [SYNC_TEAM.id],
  );
  const messages = rows.map((r) =>
    mappingMessage(SYNC_TEAM.id, { personId: r.uuid, distinctId: r.distinct_id, version: r.version }),
  );
  const results: Record<'large' | 'small' | 'bare', number[]> = { large: [], small: [], bare: [] };
  for (let round = 0; round <= rounds; round++) {
    note(`publishing, round ${round} of ${rounds}`);
    const rates = {
      bare: await bareClient(place, messages),
      large: await oursAt(place, 1_000, ids),
      small: await oursAt(place, 100, ids),
    };
    if (round > 0) for (const [name, rate] of Object.entries(rates)) results[name as keyof typeof rates].push(rate);
  }
  const work = `look up, publish and have acknowledged ${ids} distinct ids`;
  return [
    row(`${work}, batches of 1,000 persons`, results.large, results.bare, {
      otherIs: 'the bare client with the same messages',
      unit: 'ids/s',
      target: '≥ 0.5',
    }),
    row(`${work}, batches of 100 persons`, results.small, results.bare, {
      otherIs: 'the bare client with the same messages',
      unit: 'ids/s',
    }),
  ];
}

async function bareClient(
  { brokers, topic }: Place,
  messages: readonly { readonly value: string | Buffer | null }[],
): Promise<number> {
  const { Kafka, logLevel } = kafkajs;
  const producer = new Kafka({ clientId: 'bare', brokers: brokers.split(','), logLevel: logLevel.NOTHING }).producer({
    idempotent: true,
    allowAutoTopicCreation: false,
  });
  await producer.connect();
  try {
    const { ms } = await timed(
      async () => {
        for (let i = 0; i < messages.length; i += 1_000)
          await producer.send({
            topic,
            acks: -1,
            messages: messages.slice(i, i + 1_000).map(({ value }) => ({ value })),
          });
      },
      () => messages.length,
    );
    return messages.length / (ms / 1_000);
  } finally {
    await producer.disconnect();
  }
}

/** The asset as it is; the clock runs from its first look-up to its last acknowledgement. */
async function oursAt(
  { brokers, clickhouse, personsDb, topic }: Place,
  batchSize: number,
  ids: number,
): Promise<number> {
  const real = openKafkaPublisher(brokers.split(','));
  let [first, last, sent] = [0, 0, 0];
  const kafka: Publisher = {
    ...real,
    async publish(_topic, messages, options) {
      await real.publish(topic, messages, options);
      sent += messages.length;
      last = performance.now();
    },
  };
  const reader = new Proxy(personsDb.reader, {
    get(pool, name) {
      if (name === 'connect' && first === 0) first = performance.now();
      const value: unknown = Reflect.get(pool, name);
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(pool) : value;
    },
  });
  try {
    const asset = defineOrphanSync({ pageRows: ids + 1, readBackRows: Infinity, readBackWaitMs: 0 });
    const resources = { clickhouse, personsDb: { ...personsDb, reader }, kafka };
    const run = await runAsset(asset, {
      partition: `${SYNC_TEAM.id}_2026-01-01`,
      config: { dry_run: false, batch_size: batchSize },
      resources,
    });
    if (run.error instanceof Error) throw run.error;
    if (sent !== ids || run.result?.distinct_ids_synced !== ids)
      throw new Error(`${sent} of ${ids} distinct ids were sent`);
    return ids / ((last - first) / 1_000);
  } finally {
    await real.close();
  }
}

async function timed<T>(
  work: () => Promise<T>,
  rowsOf: (value: T) => number,
): Promise<{ readonly ms: number; readonly rows: number }> {
  const start = performance.now();
  const value = await work();
  return { ms: performance.now() - start, rows: rowsOf(value) };
}
