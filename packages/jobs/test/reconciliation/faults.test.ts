/** What breaks on the way: committed work stays, ClickHouse catches up, failed teams are listed, nothing is lost or invented. */

import { spawn } from 'node:child_process';
import path from 'node:path';

import { ServiceError } from '@skein/orchestrator';

import { LOCKED_HERE } from '../../../../infra/embedded/test-services/index.ts';
import type { ClickHouse, QueryOptions } from '../../src/resources/clickhouse.ts';
import type { Publisher } from '../../src/resources/kafka.ts';
import { NOW, START, END, type World, daysAgo, openWorld } from './world.ts';

let world: World;
let team = 0;
beforeAll(async () => void (world = await openWorld()));
afterAll(() => world.close());
beforeEach(() => void (team += 10));

const key = () => `${team}_2026-01-10`;
/** Nothing is published by it: as if the messages were lost. */
const LOSING: Publisher = { publish: async () => {}, ping: async () => '', close: async () => {} };

async function sample(count: number, of = team): Promise<string[]> {
  const uuids: string[] = [];
  for (let i = 0; i < count; i++) uuids.push(await world.person({ team: of, properties: { email: 'old', i } }));
  await world.events(
    ...uuids.map((person, i) => ({ team: of, at: daysAgo(5), person, properties: { $set: { email: `new${i}` } } })),
  );
  return uuids;
}

async function expectRepaired(uuids: readonly string[]): Promise<void> {
  for (const [i, uuid] of uuids.entries()) {
    expect((await world.pgState(uuid)).properties).toEqual({ email: `new${i}`, i });
    expect((await world.chState(uuid))?.properties).toEqual({ email: `new${i}`, i });
  }
}

async function eventually(what: () => Promise<boolean>, deadlineMs = 20_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await what())) {
    if (performance.now() > end) throw new Error('it never came to be');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('Kafka is down: what is committed stays, the team is listed, the next run brings ClickHouse up', async () => {
  const uuids = await sample(6);
  const down: Publisher = {
    ...LOSING,
    publish: () => Promise.reject(new ServiceError('kafka', 'Kafka does not take messages')),
  };
  const result = await world.run({ team_ids: [team], batch_size: 2 }, { publisher: down });
  expect(result.status).toBe('FAILURE');
  expect(result.partitions.get(key())).toMatchObject({
    kind: 'failed',
    error: { message: expect.stringContaining('Kafka') },
  });
  expect(result.result).toMatchObject({ failed_team_ids: [team], persons_updated: 4 });
  const again = await world.run({ team_ids: [team] });
  expect(again.result).toMatchObject({ persons_updated: 2, persons_republished: 4 });
  await expectRepaired(uuids);
});

test('pass 1: one team runs out of memory, one meets a lock; pass 2 in windows, launched from the failed partitions', async () => {
  const [big, locked, fine] = [team, team + 1, team + 2];
  const uuid = await world.person({ team: big, properties: { email: 'old', i: 0 } });
  // 120 MB of values that must be held at once without windows, and only of one slice of persons with them.
  await world.clickhouse.command(
    `INSERT INTO events (uuid, event, properties, timestamp, team_id, distinct_id, person_id)
     SELECT generateUUIDv4(), 'big', concat('{"$set":{"note":"', repeat('x', 20000), '"}}'), toDateTime64('2026-01-12 00:00:00', 6, 'UTC') + number % 7200, ${big}, 'd', generateUUIDv4()
     FROM numbers(6000)`,
  );
  await world.events({ team: big, at: daysAgo(5), person: uuid, properties: { $set: { email: 'new0' } } });
  const [lockedPerson = ''] = await sample(1, locked);
  const others = await sample(2, fine);
  const limited = (options: QueryOptions = {}): QueryOptions => ({
    ...options,
    settings: { ...options.settings, max_memory_usage: '90000000', max_threads: 1 },
  });
  const clickhouse: ClickHouse = {
    ...world.clickhouse,
    stream: (sql, options) => world.clickhouse.stream(sql, limited(options)),
  };
  const holder = await world.db.connect();
  await holder.query('BEGIN');
  await holder.query('SELECT 1 FROM posthog_person WHERE uuid = $1 FOR UPDATE', [lockedPerson]);
  const first = await world.run({ team_ids: [big, locked, fine] }, { clickhouse });
  await holder.query('ROLLBACK');
  holder.release();
  const failed = [...first.partitions].filter(([, outcome]) => outcome.kind === 'failed');
  expect(failed.map(([partition]) => partition)).toEqual([`${big}_2026-01-10`, `${locked}_2026-01-10`]);
  expect(failed[0]?.[1]).toMatchObject({ error: { message: expect.stringMatching(/memory limit/i) } });
  expect(failed[1]?.[1]).toMatchObject({ error: { message: expect.stringMatching(/lock timeout/) } });
  await expectRepaired(others);
  const second = await world.run(
    {
      team_ids: [big, locked, fine],
      team_ch_props_fetch_window_seconds: 3_600,
      person_batch_size: 500,
      teams_per_chunk: 1,
    },
    { clickhouse, partitions: failed.map(([partition]) => partition) },
  );
  expect([...second.partitions.values()]).toMatchObject([{ kind: 'materialized' }, { kind: 'materialized' }]);
  expect((await world.pgState(uuid)).properties).toEqual({ email: 'new0', i: 0 });
  await expectRepaired([lockedPerson]);
});

test('a writer at a hundred updates a second: none of its work is lost, everything it left alone is repaired', async () => {
  const uuids = await sample(60);
  const counts = new Map<string, number>();
  const mine = new Set<string>();
  let writing = true;
  const writer = (async () => {
    for (let n = 0; writing; n++) {
      const uuid = uuids[n % uuids.length] ?? '';
      const own = n % 7 === 0;
      await world.db.query(
        `UPDATE posthog_person SET properties = jsonb_set(properties, '{visits}', to_jsonb(coalesce((properties->>'visits')::int, 0) + 1)) || $2, version = version + 1 WHERE uuid = $1`,
        [uuid, own ? { email: 'mine' } : {}],
      );
      if (own) mine.add(uuid);
      counts.set(uuid, (counts.get(uuid) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, 8));
    }
  })();
  await eventually(async () => counts.size > 5);
  const result = await world.run({ team_ids: [team], batch_size: 5 });
  writing = false;
  await writer;
  expect(result.result).toMatchObject({ persons_processed: 60 });
  const conflicts = new Set(
    result.logs.flatMap((line) => /uuid=(\S+) .*version_conflict/.exec(line.message)?.[1] ?? []),
  );
  for (const [i, uuid] of uuids.entries()) {
    const { properties } = await world.pgState(uuid);
    const visits = counts.get(uuid);
    const email = mine.has(uuid) ? 'mine' : conflicts.has(uuid) ? 'old' : `new${i}`;
    expect(properties).toEqual({ email, i, ...(visits ? { visits } : {}) });
  }
});

test('a statement takes too long: the server ends it, its batch is rolled back, committed ones stay and are published', async () => {
  // In ClickHouse's order, which is the order of the batches: the slow one comes last.
  const half = (id: string) => id.slice(19) + id.slice(0, 19);
  const uuids = (await sample(6)).sort((a, b) => (half(a) < half(b) ? -1 : 1));
  // The settings of the session, as a statement of it sees them. Then the next statement may take 300 ms, and takes 20 s.
  await world.db.query(`CREATE TABLE settings_${team} (lock text, statement text)`);
  await world.db.query(
    `CREATE FUNCTION slow_${team}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       INSERT INTO settings_${team} VALUES (current_setting('lock_timeout'), current_setting('statement_timeout'));
       IF OLD.properties->>'i' = '99' THEN PERFORM pg_sleep(20); END IF;
       PERFORM set_config('statement_timeout', '300ms', false);
       RETURN NEW; END $$`,
  );
  const last = uuids.at(-1) ?? '';
  await world.db.query(
    `UPDATE posthog_person SET properties = '{"email":"old","i":99}' WHERE team_id = $1 AND uuid = $2`,
    [team, last],
  );
  await world.db.query(
    `CREATE TRIGGER slow_${team} BEFORE UPDATE ON posthog_person FOR EACH ROW EXECUTE FUNCTION slow_${team}()`,
  );
  const result = await world.run({ team_ids: [team], batch_size: 1 });
  await world.db.query(`DROP TRIGGER slow_${team} ON posthog_person`);
  expect(result.partitions.get(key())).toMatchObject({
    kind: 'failed',
    error: { code: 'SERVICE_UNAVAILABLE', message: expect.stringContaining('statement timeout') },
  });
  expect((await world.pgState(last)).properties).toEqual({ email: 'old', i: 99 });
  const states = await Promise.all(uuids.map((uuid) => world.pgState(uuid)));
  expect(states.map((state) => state.version)).toEqual(['2', '2', '2', '2', '2', '1']);
  expect(result.result).toMatchObject({ failed_team_ids: [team], persons_updated: 5 });
  for (const [i, uuid] of uuids.entries())
    expect((await world.chState(uuid))?.version).toBe(Number(states[i]?.version));
  const { rows } = await world.db.query(`SELECT * FROM settings_${team} LIMIT 1`);
  expect(rows).toEqual([{ lock: '5s', statement: '30min' }]);
});

test('a lock is held: after five seconds its batch is rolled back, committed ones stay and are published', async () => {
  const uuids = await sample(6);
  const holder = await world.db.connect();
  await holder.query('BEGIN');
  const { rows } = await holder.query<{ uuid: string }>(
    'SELECT uuid FROM posthog_person WHERE team_id = $1 ORDER BY id DESC LIMIT 1 FOR UPDATE',
    [team],
  );
  const began = performance.now();
  const result = await world.run({ team_ids: [team], batch_size: 1 });
  expect(performance.now() - began).toBeGreaterThan(4_900);
  await holder.query('ROLLBACK');
  holder.release();
  expect(result.partitions.get(key())).toMatchObject({
    kind: 'failed',
    error: { message: expect.stringContaining('lock timeout') },
  });
  expect((await world.pgState(rows[0]?.uuid ?? '')).version).toBe('1');
  for (const uuid of uuids)
    expect((await world.chState(uuid))?.version).toBe(Number((await world.pgState(uuid)).version));
  expect((await world.run({ team_ids: [team] })).status).toBe('SUCCESS');
  await expectRepaired(uuids);
});

test('27: three times another version: version_conflict, and the team goes on', async () => {
  const [moving = '', still = ''] = await sample(2);
  await world.db.query(
    `CREATE FUNCTION keep_${team}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.uuid = '${moving}' THEN RETURN NULL; END IF; RETURN NEW; END $$`,
  );
  await world.db.query(
    `CREATE TRIGGER keep_${team} BEFORE UPDATE ON posthog_person FOR EACH ROW EXECUTE FUNCTION keep_${team}()`,
  );
  const result = await world.run({ team_ids: [team] });
  await world.db.query(`DROP TRIGGER keep_${team} ON posthog_person`);
  expect(result.result).toMatchObject({ persons_updated: 1, persons_skipped: 1 });
  expect(result.logs.map((line) => line.message)).toContain(
    `Skipped person uuid=${moving} team_id=${team} reason=version_conflict`,
  );
  expect((await world.pgState(still)).properties).toMatchObject({ email: 'new1' });
  expect((await world.backups()).some((row) => row.uuid === moving)).toBe(false);
});

test('PostgreSQL ends the connection in the middle: committed batches stay and are published, the next run does the rest', async () => {
  const uuids = await sample(9);
  let publications = 0;
  const publisher: Publisher = {
    ...world.publisher,
    publish: async (topic, messages) => {
      await world.publisher.publish(topic, messages);
      if (++publications === 1)
        await world.db.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'person_property_reconciliation' AND datname = current_database()`,
        );
    },
  };
  const result = await world.run({ team_ids: [team], batch_size: 2 }, { publisher });
  expect(result.partitions.get(key())).toMatchObject({ kind: 'failed', error: { code: 'SERVICE_UNAVAILABLE' } });
  const again = await world.run({ team_ids: [team] });
  expect(again.status).toBe('SUCCESS');
  await expectRepaired(uuids);
});

test('many batches: all are written once, in order, and no lock is left', async () => {
  const uuids = await sample(60);
  const result = await world.run({ team_ids: [team], batch_size: 2 });
  expect(result.result).toMatchObject({ persons_updated: 60, persons_skipped: 0 });
  const commits = result.logs.flatMap((line) => /^Batch (\d+): committed 2 updates/.exec(line.message)?.[1] ?? []);
  expect(commits).toEqual(Array.from({ length: 30 }, (_, i) => String(i + 1)));
  await expectRepaired(uuids);
  const { rows } = await world.db.query(`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND ${LOCKED_HERE}`);
  expect(rows).toEqual([]);
});

test('a failure in the middle rolls back its batch only; what is committed is published', async () => {
  const uuids = await sample(60);
  await world.db.query(
    `CREATE FUNCTION refuse_${team}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.uuid = '${[...uuids].sort()[40] ?? ''}' THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$`,
  );
  await world.db.query(
    `CREATE TRIGGER refuse_${team} BEFORE UPDATE ON posthog_person FOR EACH ROW EXECUTE FUNCTION refuse_${team}()`,
  );
  const result = await world.run({ team_ids: [team], batch_size: 2 });
  await world.db.query(`DROP TRIGGER refuse_${team} ON posthog_person`);
  expect(result.partitions.get(key())).toMatchObject({
    kind: 'failed',
    error: { message: expect.stringContaining('not this one') },
  });
  let inPostgres = 0;
  for (const uuid of uuids) {
    const state = await world.pgState(uuid);
    if (state.version === '2') inPostgres++;
    expect((await world.chState(uuid))?.version).toBe(Number(state.version));
  }
  expect(inPostgres).toBe(result.result?.persons_updated);
  expect(inPostgres).toBeLessThan(60);
  expect((await world.backups()).filter((row) => row.team_id === team)).toHaveLength(inPostgres);
  await world.run({ team_ids: [team] });
  await expectRepaired(uuids);
});

const child = (killAt: number, config: object) =>
  spawn(process.execPath, ['-C', 'source', '--import', 'tsx', path.resolve(__dirname, 'killed-run.ts')], {
    env: {
      ...process.env,
      KILL_AT: String(killAt),
      RUN_CONFIG: JSON.stringify({ bug_window_start: START, bug_window_end: END, ...config }),
      RUN_NOW: NOW.toISOString(),
      CH_URL: world.clickhouseUrl,
      PG_URL: world.databaseUrl,
    },
    stdio: 'ignore',
  });
const exitOf = (process: ReturnType<typeof child>) =>
  new Promise<NodeJS.Signals | null>((resolve) => process.on('exit', (_code, signal) => resolve(signal)));

test('kill -9 between commit and publication: the next run publishes and finishes', async () => {
  const uuids = await sample(8);
  expect(await exitOf(child(2, { team_ids: [team], batch_size: 2 }))).toBe('SIGKILL');
  const again = await world.run({ team_ids: [team] });
  expect(again.result).toMatchObject({ teams_succeeded: 1 });
  expect(Number(again.result?.persons_republished)).toBeGreaterThanOrEqual(4);
  await expectRepaired(uuids);
});

test('kill -9 in the middle of a batch: it is rolled back with its backups, the next run finishes', async () => {
  const uuids = await sample(8);
  await world.db.query(
    `CREATE FUNCTION slow_${team}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.uuid = '${uuids[5] ?? ''}' THEN PERFORM pg_sleep(2); END IF; RETURN NEW; END $$`,
  );
  await world.db.query(
    `CREATE TRIGGER slow_${team} BEFORE UPDATE ON posthog_person FOR EACH ROW EXECUTE FUNCTION slow_${team}()`,
  );
  const process = child(0, { team_ids: [team], batch_size: 100 });
  const asleep = `SELECT 1 FROM pg_stat_activity WHERE application_name = 'person_property_reconciliation' AND datname = current_database() AND wait_event = 'PgSleep'`;
  await eventually(async () => (await world.db.query(asleep)).rowCount === 1);
  process.kill('SIGKILL');
  await exitOf(process);
  await eventually(
    async () =>
      (
        await world.db.query(
          `SELECT 1 FROM pg_stat_activity WHERE application_name = 'person_property_reconciliation' AND datname = current_database()`,
        )
      ).rowCount === 0,
  );
  await world.db.query(`DROP TRIGGER slow_${team} ON posthog_person`);
  for (const uuid of uuids) expect((await world.pgState(uuid)).properties).toMatchObject({ email: 'old' });
  expect((await world.backups()).filter((row) => row.team_id === team)).toEqual([]);
  expect((await world.run({ team_ids: [team] })).result).toMatchObject({ persons_updated: 8 });
  await expectRepaired(uuids);
});

test('a second change of a person in one run keeps the first state before and the last after', async () => {
  const [uuid = ''] = await sample(1);
  await world.run({ team_ids: [team] }, { runId: `twice-${team}` });
  await world.events({ team, at: daysAgo(3), person: uuid, properties: { $set: { email: 'newest' } } });
  const again = await world.run({ team_ids: [team] }, { runId: `twice-${team}` });
  expect(again.result).toMatchObject({ persons_updated: 1 });
  expect((await world.backups()).filter((row) => row.uuid === uuid)).toMatchObject([
    {
      properties: { email: 'old' },
      version: '1',
      properties_after: { email: 'newest' },
      version_after: '3',
      pending_operations: [{ value: 'new0' }, { value: 'newest' }],
    },
  ]);
});

test('a new attempt of the task begins with the team at which the last one stopped', async () => {
  const [done, next] = [await sample(1), await sample(1, team + 1)];
  const checkpoints = new Map<string, never>();
  await world.run({ team_ids: [team, team + 1] }, { checkpoints });
  const [saved] = [...checkpoints.values()] as { team_ids: number[] }[];
  expect(saved?.team_ids).toEqual([team, team + 1]);
  const again = await world.run({ team_ids: [team, team + 1] }, { checkpoints });
  expect(
    again.logs.map((line) => line.message).filter((message) => message.startsWith('Using single-query mode')),
  ).toEqual([]);
  expect(again.result).toMatchObject({ teams_succeeded: 2, persons_updated: 2 });
  await expectRepaired(done);
  await expectRepaired(next);
});
