/** What `@clickhouse/client` uses of a server, against the bridge. */

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';

import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';

import { type TestClickHouse, testClickHouse } from '../../test-services/index.ts';

let house: TestClickHouse;
let client: ClickHouseClient;

beforeAll(async () => {
  house = await testClickHouse();
  client = house.client;
  await client.command({ query: 'CREATE TABLE t (a UInt64, b String) ENGINE = MergeTree ORDER BY a' });
});

afterAll(() => house.drop());

beforeEach(() => client.command({ query: 'TRUNCATE TABLE t' }));

const other = (options: Parameters<typeof createClient>[0] = {}) =>
  createClient({ url: house.url, log: { level: ClickHouseLogLevel.OFF }, ...options });

async function rows<T>(query: string, options: object = {}): Promise<T[]> {
  return (await client.query({ query, format: 'JSONEachRow', ...options })).json<T>();
}

const LONG = 'SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))';

describe('inserts', () => {
  test.each([
    ['array', [{ a: 1, b: 'x' }], 'JSONEachRow'],
    ['stream of objects', () => Readable.from([{ a: 1, b: 'x' }]), 'JSONEachRow'],
    ['compact rows', [[1, 'x']], 'JSONCompactEachRow'],
  ] as const)('%s', async (_name, values, format) => {
    const { summary } = await client.insert({
      table: 't',
      values: typeof values === 'function' ? values() : (values as never),
      format,
    });
    expect(summary).toMatchObject({ written_rows: '1' });
    expect(await rows('SELECT a, b FROM t')).toEqual([{ a: 1, b: 'x' }]);
  });

  test('columns, database-qualified table, settings in the SQL, gzip', async () => {
    const zipped = other({ compression: { request: true, response: true } });
    await zipped.insert({
      table: `${house.database}.t`,
      columns: ['b'],
      values: [{ b: 'only' }],
      format: 'JSONEachRow',
    });
    const { stream } = await zipped.exec({
      query: 'INSERT INTO t (a, b) SETTINGS input_format_skip_unknown_fields = 1 FORMAT JSONEachRow',
      values: Readable.from(['{"a":7,"b":"z","unknown":1}\n'], { objectMode: false }),
    });
    stream.resume();
    await zipped.close();
    expect(await rows('SELECT a, b FROM t ORDER BY a')).toEqual([
      { a: 0, b: 'only' },
      { a: 7, b: 'z' },
    ]);
  });

  test('formats that are not lines, binary ones too, arrive intact', async () => {
    await client.insert({ table: 't', values: Readable.from(['1,"a\nb"\n'], { objectMode: false }), format: 'CSV' });
    const parquet = await client.exec({ query: "SELECT toUInt64(2) AS a, 'ÿ' AS b FORMAT Parquet" });
    const inserted = await client.exec({ query: 'INSERT INTO t FORMAT Parquet', values: parquet.stream as Readable });
    inserted.stream.resume();
    expect(inserted.summary).toMatchObject({ written_rows: '1' });
    expect(await rows('SELECT a, b FROM t ORDER BY a')).toEqual([
      { a: 1, b: 'a\nb' },
      { a: 2, b: 'ÿ' },
    ]);
  });

  test('INSERT … SELECT and INSERT INTO FUNCTION tell how many rows they wrote, whoever else writes', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'skein-bridge-'));
    const file = path.join(folder, 'x.parquet');
    const counts = await Promise.all([
      client.command({
        query: "INSERT INTO t SETTINGS max_insert_block_size = 1000 SELECT number, 'n' FROM numbers(12345)",
      }),
      client.command({
        query: `INSERT INTO FUNCTION file({file:String}, 'Parquet') SELECT number FROM numbers({n:UInt32})`,
        query_params: { file, n: 678 },
      }),
      client.insert({ table: 't', values: [{ a: 1, b: 'x' }], format: 'JSONEachRow' }),
    ]);
    rmSync(folder, { recursive: true });
    expect(counts.map(({ summary }) => summary?.written_rows)).toEqual(['12345', '678', '1']);
  });

  test('a row that cannot be parsed is an error with ClickHouse’s code', async () => {
    await expect(
      client.exec({
        query: 'INSERT INTO t FORMAT JSONEachRow',
        values: Readable.from(['{"a":"x"}\n'], { objectMode: false }),
      }),
    ).rejects.toMatchObject({ code: expect.stringMatching(/^\d+$/) as string });
  });
});

describe('queries', () => {
  test('parameters of every kind are bound, and gone in the next request', async () => {
    const text = 'it\'s "q" \\ back\nline\ttab';
    const query =
      'SELECT {s:String} AS s, {l:Array(UInt8)} AS l, {n:Nullable(String)} AS n, {at:DateTime} AS at, count() AS c FROM {t:Identifier}';
    const query_params = { s: text, l: [1, 2], n: null, at: new Date('2024-01-15T10:00:00Z'), t: 't' };
    expect(await rows(query, { query_params })).toEqual([
      { s: text, l: [1, 2], n: null, at: '2024-01-15 10:00:00', c: 0 },
    ]);
    await expect(rows('SELECT {s:String} AS s')).rejects.toMatchObject({ code: '456' });
  });

  test('settings are applied, and gone in the next request', async () => {
    const query = "SELECT value FROM system.settings WHERE name = 'max_block_size'";
    const [before] = await rows<{ value: string }>(query);
    expect(await rows(query, { clickhouse_settings: { max_block_size: '77' } })).toEqual([{ value: '77' }]);
    expect(await rows(query)).toEqual([before]);
  });

  test('200 parameterized queries at once are not mixed up', async () => {
    const one = async (i: number) =>
      (await rows<{ i: number }>('SELECT {i:UInt32} AS i', { query_params: { i } }))[0]?.i;
    const numbers = Array.from({ length: 200 }, (_, i) => i);
    expect(await Promise.all(numbers.map(one))).toEqual(numbers);
  });

  test('a large result is streamed with back pressure', async () => {
    const result = await client.query({ query: 'SELECT number FROM numbers(300000)', format: 'JSONEachRow' });
    let seen = 0;
    for await (const block of result.stream()) seen += block.length;
    expect(seen).toBe(300_000);
  });

  test('a failure in the middle of a stream reaches the reader', async () => {
    const query = "SELECT throwIf(number = 3000000, 'broken') FROM numbers(4000000) SETTINGS max_block_size = 65536";
    const read = async () => {
      const result = await client.query({ query, format: 'JSONEachRow' });
      for await (const block of result.stream()) void block;
    };
    await expect(read()).rejects.toMatchObject({ code: '395' });
  });

  test.each([
    ['SELECT * FROM nope', '60', 'UNKNOWN_TABLE'],
    ['SELEC 1', '62', 'SYNTAX_ERROR'],
    ['SELECT sleep(3) SETTINGS max_execution_time = 0.2', '159', 'TIMEOUT_EXCEEDED'],
    ["SELECT throwIf(1, 'no')", '395', 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO'],
    ['INSERT INTO nope SELECT 1', '60', 'UNKNOWN_TABLE'],
    ['SELECT 1 SETTINGS no_such_setting = 1', '115', 'UNKNOWN_SETTING'],
  ])('%p fails with code %s', async (query, code, type) => {
    await expect(rows(query)).rejects.toMatchObject({ code, type });
  });

  test('SHOW, EXISTS, EXPLAIN, WITH, mutations', async () => {
    expect(await rows('SHOW TABLES')).toEqual([{ name: 't' }]);
    expect(await rows('EXISTS TABLE t')).toEqual([{ result: 1 }]);
    expect((await rows('EXPLAIN SELECT 1')).length).toBeGreaterThan(0);
    expect(await rows('WITH 1 AS x SELECT x')).toEqual([{ x: 1 }]);
    await client.command({
      query: 'ALTER TABLE t DELETE WHERE a = {a:UInt8}',
      query_params: { a: 1 },
      clickhouse_settings: { mutations_sync: '1' },
    });
  });

  test('temporary tables live in their session only', async () => {
    const session_id = randomUUID();
    await client.command({ query: 'CREATE TEMPORARY TABLE mine AS SELECT 1 AS x', session_id });
    expect(await rows('SELECT x FROM mine', { session_id })).toEqual([{ x: 1 }]);
    await expect(rows('SELECT x FROM mine')).rejects.toMatchObject({ code: '60' });
  });

  test('a Distributed table over the cluster of one node', async () => {
    await client.command({
      query: 'CREATE TABLE t_d AS t ENGINE = Distributed(default, currentDatabase(), t, cityHash64(a))',
    });
    await client.command({
      query: "INSERT INTO t_d SETTINGS distributed_foreground_insert = 1 SELECT number, 'd' FROM numbers(10)",
    });
    expect(await rows('SELECT count() AS n FROM t_d')).toEqual([{ n: 10 }]);
    await client.command({ query: 'DROP TABLE t_d' });
  });
});

describe('clients', () => {
  test('a wrong password, a wrong user, and none at all are refused', async () => {
    for (const credentials of [{ password: 'wrong' }, { username: 'root' }, { username: '', password: '' }]) {
      const stranger = createClient({
        url: new URL(house.url).origin,
        username: 'skein',
        ...credentials,
        log: { level: ClickHouseLogLevel.OFF },
      });
      await expect(stranger.query({ query: 'SELECT 1' })).rejects.toMatchObject({
        code: '516',
        type: 'AUTHENTICATION_FAILED',
      });
      await stranger.close();
    }
  });

  test('credentials in headers are accepted', async () => {
    const { origin, username, password } = new URL(house.url);
    const headers = { 'X-ClickHouse-User': username, 'X-ClickHouse-Key': password };
    const response = await fetch(`${origin}/?query=SELECT%201`, { headers });
    expect(await response.text()).toBe('1\n');
  });

  test('two clients work at once, each in its database', async () => {
    const second = await testClickHouse();
    const names = await Promise.all(
      [client, second.client].map(
        async (c) =>
          (
            await (
              await c.query({ query: 'SELECT currentDatabase() AS d', format: 'JSONEachRow' })
            ).json<{ d: string }>()
          )[0]?.d,
      ),
    );
    await second.drop();
    expect(names).toEqual([house.database, second.database]);
  });

  test('queries run in parallel, and a ping does not wait for them', async () => {
    const begun = performance.now();
    const sleeping = Promise.all(Array.from({ length: 4 }, () => rows('SELECT sleep(1)')));
    expect((await client.ping()).success).toBe(true);
    expect(performance.now() - begun).toBeLessThan(900);
    await sleeping;
    expect(performance.now() - begun).toBeLessThan(3_500);
  });
});

describe('cancellation', () => {
  const running = async (id: string) =>
    (
      await rows<{ n: number }>('SELECT count() AS n FROM system.processes WHERE position(query, {id:String}) = 7', {
        query_params: { id },
      })
    )[0]?.n;

  async function until(condition: () => Promise<boolean>): Promise<void> {
    for (const end = Date.now() + 20_000; !(await condition());)
      if (Date.now() > end) throw new Error('it did not happen');
  }

  test.each([
    ['with a literal', 'ASYNC'],
    ['and waits', 'SYNC'],
  ])('KILL QUERY by query_id %s', async (_how, mode) => {
    const query_id = `test-${randomUUID()}`;
    const query = rows(LONG, { query_id }).catch((error: unknown) => error);
    await until(async () => (await running(query_id)) === 1);
    await client.command({ query: `KILL QUERY WHERE query_id = '${query_id}' ${mode}` });
    expect(await query).toMatchObject({ code: '394' });
    // The answer may overtake the entry in the process list by a moment.
    await until(async () => (await running(query_id)) === 0);
  });

  test('KILL QUERY by a bound parameter ends an INSERT … SELECT, and no other query', async () => {
    const [victim, bystander] = [randomUUID(), randomUUID()];
    const query = client
      .command({ query: `INSERT INTO t SELECT sipHash64(number), '' FROM numbers(1000000000000)`, query_id: victim })
      .catch((error: unknown) => error);
    const aborter = new AbortController();
    const onlooker = rows(LONG, { query_id: bystander, abort_signal: aborter.signal }).catch(() => 'aborted');
    await until(async () => (await running(victim)) === 1 && (await running(bystander)) === 1);
    await client.command({ query: 'KILL QUERY WHERE query_id = {id:String} ASYNC', query_params: { id: victim } });
    expect(await query).toMatchObject({ code: '394' });
    expect(await running(bystander)).toBe(1);
    aborter.abort();
    expect(await onlooker).toBe('aborted');
  });

  test('a client that goes away takes its query with it', async () => {
    const query_id = randomUUID();
    const aborter = new AbortController();
    const query = rows(LONG, { query_id, abort_signal: aborter.signal }).catch(() => 'aborted');
    await until(async () => (await running(query_id)) === 1);
    aborter.abort();
    expect(await query).toBe('aborted');
    await until(async () => (await running(query_id)) === 0);
  });

  test('while all places are taken, KILL QUERY still gets through', async () => {
    const ids = Array.from({ length: 8 }, () => randomUUID());
    const queries = ids.map((query_id) =>
      rows('SELECT sum(sleepEachRow(1)) FROM numbers(60) SETTINGS max_block_size = 1', { query_id }).catch(
        (error: { code?: string }) => error.code,
      ),
    );
    await until(async () => (await Promise.all(ids.map(running))).every((n) => n === 1));
    await client.command({ query: 'KILL QUERY WHERE query_id IN ({ids:Array(String)}) ASYNC', query_params: { ids } });
    expect(await Promise.all(queries)).toEqual(ids.map(() => '394'));
  });
});
