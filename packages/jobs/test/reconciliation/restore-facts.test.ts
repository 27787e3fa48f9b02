/**
 * Facts of the reference about reading backups and writing what they say, each under its number, on real PostgreSQL. A
 * backup is put there by hand, so that each says what it needs.
 */

import { randomUUID } from 'node:crypto';

import type pg from 'pg';

import { testDatabase } from '../../../../infra/embedded/test-services/index.ts';
import { ensureBackupTable } from '../../src/reconciliation/backup-table.ts';
import { PERSONS_BY_ID, type PersonRow } from '../../src/reconciliation/postgres-sql.ts';
import { RestoreConfig } from '../../src/reconciliation/restore/config.ts';
import { restoreTeam } from '../../src/reconciliation/restore/restore-team.ts';
import { BACKUP_PAGE, type BackupEntry, TEAMS_WITH_BACKUPS } from '../../src/reconciliation/restore/sql.ts';
import type { Message } from '../../src/resources/kafka.ts';
import { openPersonsDb } from '../../src/resources/postgres.ts';

let database: Awaited<ReturnType<typeof testDatabase>>;
let personsDb: ReturnType<typeof openPersonsDb>;
let db: pg.Pool;
let job = 'none';
let team = 0;
beforeAll(async () => {
  database = await testDatabase('persons');
  personsDb = openPersonsDb(database.url, undefined);
  db = personsDb.writer;
  const client = await db.connect();
  await ensureBackupTable(client);
  client.release();
});
afterAll(async () => {
  await db.end();
  await database.drop();
});
beforeEach(() => {
  team += 10;
  job = `job-${team}`;
});

interface Person {
  readonly now: object;
  readonly before: object;
  readonly after?: object;
  readonly version?: number;
  readonly of?: number;
}

/** In PostgreSQL and in the backup of the job; gives its id. */
async function person({ now, before, after = now, version = 5, of = team }: Person): Promise<string> {
  const metadata = (map: object, by: string) =>
    JSON.stringify(Object.fromEntries(Object.keys(map).map((key) => [key, `${by} ${key}`])));
  const { rows } = await db.query<{ id: string }>(
    `INSERT INTO posthog_person (created_at, properties, properties_last_updated_at, properties_last_operation, uuid, version, team_id)
     VALUES ('2026-01-01', $1, $2, $2, $3, $4, $5) RETURNING id::text AS id`,
    [JSON.stringify(now), metadata(now, 'now'), randomUUID(), version, of],
  );
  const id = rows[0]?.id ?? '';
  await db.query(
    `INSERT INTO posthog_person_reconciliation_backup (job_id, team_id, person_id, uuid, properties, properties_last_updated_at,
       properties_last_operation, version, is_identified, created_at, pending_operations, properties_after, version_after)
     SELECT $1, team_id, id, uuid, $3, $4, $4, version - 1, false, created_at, '[]', $5, version FROM posthog_person WHERE id = $2`,
    [job, id, JSON.stringify(before), metadata(before, 'before'), JSON.stringify(after)],
  );
  return id;
}

const many = async (of: number, count: number, what: Omit<Person, 'of'> = { now: { email: 'r' }, before: {} }) => {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push(await person({ ...what, of }));
  return ids;
};

const page = async (of: number, persons: readonly string[] | null, after = '0', size = 100) =>
  (await db.query<BackupEntry>(BACKUP_PAGE, [job, [of], persons, after, size])).rows;
const teams = async (of: readonly number[] | null, persons: readonly string[] | null) =>
  (await db.query<{ team_id: number }>(TEAMS_WITH_BACKUPS, [job, of, persons])).rows.map((row) => row.team_id);
const byIds = async (ids: readonly string[]) =>
  (await db.query<PersonRow>(PERSONS_BY_ID, [team, ids])).rows
    .map((row) => row.id)
    .sort((a, b) => Number(a) - Number(b));

async function restore(of: number, config: object = {}) {
  const lots: Message[][] = [];
  const quiet = () => {};
  const counts = await restoreTeam({
    teamId: of,
    runId: `undo-${job}`,
    config: RestoreConfig.parse({ job_id: job, ...config }),
    personsDb,
    publisher: {
      publish: async (_topic, messages) => void lots.push([...messages]),
      ping: async () => '',
      close: async () => {},
    },
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    signal: new AbortController().signal,
    now: new Date('2026-01-20T12:00:00Z'),
  });
  return { counts, lots: lots.map((lot) => lot.length), messages: lots.flat().map((message) => String(message.value)) };
}

async function state(id: string) {
  const { rows } = await db.query<{ properties: object; updated: object; version: string }>(
    'SELECT properties, properties_last_updated_at AS updated, version FROM posthog_person WHERE id = $1',
    [id],
  );
  return rows[0];
}

describe('reading', () => {
  test('231: an entry has the team, the person and the properties before', async () => {
    const id = await person({ now: { email: 'r' }, before: { email: 'o' } });
    expect(await teams(null, null)).toEqual([team]);
    expect(await page(team, null)).toMatchObject([
      { id, properties: '{"email": "o"}', properties_after: '{"email": "r"}' },
    ]);
  });

  test('232: only the persons that are asked for', async () => {
    const [first = '', second = ''] = await many(team, 3);
    expect((await page(team, [first, second])).map((entry) => entry.id)).toEqual([first, second]);
  });

  test('233: only the teams that are asked for', async () => {
    const [mine = ''] = await many(team, 1);
    await many(team + 1, 1);
    expect(await teams([team], null)).toEqual([team]);
    expect((await page(team, null)).map((entry) => entry.id)).toEqual([mine]);
  });

  test('234: two teams of five, three a page: ascending by team and person, no entry twice', async () => {
    const ids = [await many(team, 5), await many(team + 1, 5)];
    expect(await teams(null, null)).toEqual([team, team + 1]);
    const lots: number[][] = [];
    for (const [i, id] of [team, team + 1].entries()) {
      expect((await page(id, null)).map((entry) => entry.id)).toEqual(ids[i]);
      expect((await page(id, null, ids[i]?.[2], 3)).map((entry) => entry.id)).toEqual(ids[i]?.slice(3));
      lots.push((await restore(id, { backup_batch_size: 3 })).lots);
    }
    expect(lots).toEqual([
      [3, 2],
      [3, 2],
    ]);
  });

  test.each([2, 1])('235: teams and persons that are asked for, %i a page', async (size) => {
    const ids = await many(team, 4);
    await many(team + 1, 2);
    const chosen = [0, 2, 3].map((i) => Number(ids[i]));
    const done = await restore(team, { team_ids: [team], person_ids: chosen, backup_batch_size: size });
    expect(done.counts).toEqual({ processed: 3, restored: 3, skipped: 0, wouldRestore: 0 });
    expect(done.lots).toEqual(size === 2 ? [2, 1] : [1, 1, 1]);
    expect((await state(ids[1] ?? ''))?.version).toBe('5');
    expect(await teams([team], ids)).toEqual([team]);
  });

  test('236 to 238: persons by their ids: one, five, and those that are not there are not in the answer', async () => {
    const ids = await many(team, 5);
    expect(await byIds(ids.slice(0, 1))).toEqual(ids.slice(0, 1));
    expect(await byIds(ids)).toEqual(ids);
    expect(await byIds([...ids.slice(0, 2), '999999999'])).toEqual(ids.slice(0, 2));
    expect(await byIds(['999999999'])).toEqual([]);
  });
});

describe('writing', () => {
  test('239, 225: full_overwrite gives what was, and the next version', async () => {
    const id = await person({ now: { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 }, before: { a: 0, b: 2, x: 'y' } });
    await restore(team, { conflict_resolution: 'full_overwrite' });
    expect(await state(id)).toEqual({
      properties: { a: 0, b: 2, x: 'y' },
      updated: { a: 'before a', b: 'before b', x: 'before x' },
      version: '6',
    });
  });

  test('221: restore_wins brings what was known of the key as well', async () => {
    const id = await person({ now: { email: 'c', new: 1 }, before: { email: 'o' } });
    await restore(team, { conflict_resolution: 'restore_wins' });
    expect((await state(id))?.updated).toEqual({ email: 'before email', new: 'now new' });
  });

  test.each(['keep_newer', 'restore_wins', 'full_overwrite'])(
    '243: what is as it was already is left alone (%s)',
    async (conflict_resolution) => {
      const id = await person({ now: { email: 'o' }, before: { email: 'o' }, after: { email: 'r' } });
      const done = await restore(team, { conflict_resolution });
      expect(done).toMatchObject({ counts: { processed: 1, restored: 0, skipped: 1 }, messages: [] });
      expect(await state(id)).toEqual({ properties: { email: 'o' }, updated: { email: 'now email' }, version: '5' });
    },
  );

  test('244: two persons of versions 5 and 3: versions 6 and 4, two messages', async () => {
    const ids = [await person({ now: { a: 2 }, before: { a: 1 }, version: 5 })];
    ids.push(await person({ now: { a: 2 }, before: { a: 1 }, version: 3 }));
    const { messages } = await restore(team);
    expect(await Promise.all(ids.map(async (id) => (await state(id))?.version))).toEqual(['6', '4']);
    expect(messages.map((value) => (JSON.parse(value) as { version: number }).version)).toEqual([6, 4]);
  });

  test('251, 241: restore_wins in three teams of three: keys that are new stay, nine messages', async () => {
    const ids: string[] = [];
    let messages = 0;
    for (const id of [team, team + 1, team + 2]) {
      ids.push(
        ...(await many(id, 3, { now: { email: 'r', added: 1 }, before: { email: 'o' }, after: { email: 'r' } })),
      );
      messages += (await restore(id, { conflict_resolution: 'restore_wins' })).messages.length;
    }
    expect(messages).toBe(9);
    for (const id of ids) expect((await state(id))?.properties).toEqual({ email: 'o', added: 1 });
  });
});
