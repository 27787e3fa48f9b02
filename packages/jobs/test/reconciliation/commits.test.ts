/** How differences become transactions, on real PostgreSQL: facts 23 and 30 to 44 of the reference, under their numbers. */

import { randomUUID } from 'node:crypto';

import type pg from 'pg';

import { testDatabase } from '../../../../infra/embedded/test-services/index.ts';
import { ensureBackupTable } from '../../src/reconciliation/backup-table.ts';
import { ReconciliationConfig } from '../../src/reconciliation/config.ts';
import type { PersonReads } from '../../src/reconciliation/person-reads.ts';
import { noCounts } from '../../src/reconciliation/reconcile-team.ts';
import type { PersonDiff } from '../../src/reconciliation/replay.ts';
import { createTeamLog } from '../../src/reconciliation/team-log.ts';
import { writeDiffs } from '../../src/reconciliation/write-diffs.ts';
import { openPersonsDb } from '../../src/resources/postgres.ts';

let database: Awaited<ReturnType<typeof testDatabase>>;
let personsDb: ReturnType<typeof openPersonsDb>;
let client: pg.PoolClient;
let team = 0;
beforeAll(async () => {
  database = await testDatabase('persons');
  personsDb = openPersonsDb(database.url, undefined);
  client = await personsDb.writer.connect();
  await ensureBackupTable(client);
});
afterAll(async () => {
  client.release();
  await personsDb.writer.end();
  await database.drop();
});
beforeEach(() => void team++);

async function persons(count: number, version = 1): Promise<PersonDiff[]> {
  const diffs = Array.from({ length: count }, (): PersonDiff => {
    const change = { key: 'email', operation: 'set', value: '"new"', at: '2026-01-15 12:00:00.000000', replaces: true };
    return { personId: randomUUID(), version: BigInt(version), changes: [change as PersonDiff['changes'][number]] };
  });
  await client.query(
    `INSERT INTO posthog_person (created_at, properties, uuid, version, team_id)
     SELECT '2026-01-01', '{"email":"old","existing":"v"}', id, $3, $1 FROM unnest($2::uuid[]) AS id`,
    [team, diffs.map((diff) => diff.personId), version],
  );
  return diffs;
}

async function write(diffs: PersonDiff[], config: object = {}) {
  const lines: string[] = [];
  const lots: number[] = [];
  const hear = (message: string) => void lines.push(message);
  const log = { debug: hear, info: hear, warn: hear, error: hear };
  const counts = noCounts();
  const work = {
    teamId: team,
    runId: `run-${team}`,
    config: ReconciliationConfig.parse({ bug_window_start: '2026-01-10 12:00:00', team_ids: [team], ...config }),
    // Found already, and of the version that PostgreSQL has: nothing is asked of ClickHouse.
    clickhouse: undefined as never,
    personsDb,
    publisher: {
      publish: async (_topic: string, messages: readonly unknown[]) => void lots.push(messages.length),
      ping: async () => '',
      close: async () => {},
    },
    log,
    signal: new AbortController().signal,
    now: new Date('2026-01-20T12:00:00Z'),
    counts,
  };
  await writeDiffs({ work, client, reads: undefined as never as PersonReads, log: createTeamLog(log, team) }, [diffs]);
  // Rows that one transaction wrote have its number.
  const { rows } = await client.query<{ n: number }>(
    'SELECT count(DISTINCT xmin::text)::int AS n FROM posthog_person WHERE team_id = $1 AND version > 1',
    [team],
  );
  const { rows: backups } = await client.query<Record<string, unknown>>(
    'SELECT * FROM posthog_person_reconciliation_backup WHERE team_id = $1',
    [team],
  );
  return { counts, lots, lines, transactions: rows[0]?.n, backups };
}

test.each([
  ['30', 5, 2, [2, 2, 1]],
  ['31', 4, 2, [2, 2]],
  ['32', 3, 5, [3]],
  ['33', 1, 100, [1]],
  ['34', 6, 0, [6]],
  ['40: below 0 is as 0', 6, -5, [6]],
])('%s, 35: %i persons, batch size %i: commits of %j', async (_fact, count, batch_size, commits) => {
  const written = await write(await persons(count), { batch_size });
  expect(written.counts).toMatchObject({ processed: count, updated: count, skipped: 0 });
  expect([written.lots, written.transactions]).toEqual([commits, commits.length]);
  expect(written.lines).toEqual(commits.map((n, i) => `Batch ${i + 1}: committed ${n} updates for team_id=${team}`));
});

test('36: no persons: zeros, nothing committed, nothing published', async () => {
  const written = await write([]);
  expect(written).toMatchObject({ counts: { processed: 0, updated: 0, skipped: 0 }, lots: [], lines: [], backups: [] });
});

test('37: a dry run over a person that PostgreSQL lacks: processed, skipped, nothing committed', async () => {
  const [known] = await persons(1);
  const written = await write(known ? [{ ...known, personId: randomUUID() }] : [], {
    dry_run: true,
    backup_enabled: false,
  });
  expect(written.counts).toMatchObject({ processed: 1, updated: 0, skipped: 1 });
  expect(written).toMatchObject({ lots: [], transactions: 0, backups: [] });
});

test('23, 44: version 5 becomes 6 in one UPDATE with one backup of before and after', async () => {
  const [diff] = await persons(1, 5);
  const { backups } = await write(diff ? [diff] : []);
  const { rows } = await client.query('SELECT id, properties, version FROM posthog_person WHERE team_id = $1', [team]);
  expect(rows).toMatchObject([{ properties: { email: 'new', existing: 'v' }, version: '6' }]);
  expect(backups).toMatchObject([
    {
      job_id: `run-${team}`,
      person_id: (rows[0] as { id: string }).id,
      uuid: diff?.personId,
      properties: { email: 'old', existing: 'v' },
      version: '5',
      properties_after: { email: 'new', existing: 'v' },
      version_after: '6',
    },
  ]);
});
