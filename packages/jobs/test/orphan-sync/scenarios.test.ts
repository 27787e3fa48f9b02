/** The seed's six scenarios and its behaviour matrix, and the original's workflow tests, through Kafka into ClickHouse. */

import { randomUUID } from 'node:crypto';

import { type World, eventually, openWorld, resultOf } from './persons-world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

/** The seed's test data: 3 fixable, 2 truly orphaned, 2 only in ClickHouse. */
async function sample() {
  const team = world.newTeam();
  const fixable = await world.fixable(team, 3);
  const truly = await world.trulyOrphaned(team, 2);
  const chOnly = await world.chOnly(team, 2);
  return { team, fixable, truly, chOnly };
}

const EMPTY = { distinct_ids_superseded: 0, distinct_ids_not_arrived: 0, persons_found_on_writer: 0 };

describe('the seed’s scenarios', () => {
  test('dry run: counts, no changes', async () => {
    const { team } = await sample();
    const run = await world.run(team);
    expect(run.error).toBeUndefined();
    expect(resultOf(run)).toEqual({
      team_id: team,
      total_orphaned_persons: 7,
      persons_with_pg_distinct_ids: 3,
      distinct_ids_synced: 3,
      persons_without_pg_data: 4,
      persons_truly_orphaned: 0,
      persons_ch_only: 0,
      persons_marked_deleted: 0,
      dry_run: true,
      ...EMPTY,
    });
    expect(run.partitions.get(`${team}_2026-11-24`)?.kind).toBe('rehearsed');
    expect(run.phases).toEqual(['find_orphaned_persons', 'lookup_pg_distinct_ids', 'sync_distinct_ids_to_ch']);
    expect(world.published.filter(({ value }) => value.team_id === team)).toEqual([]);
    expect(await world.orphans(team)).toHaveLength(7);
  });

  test('categorized: truly orphaned and ClickHouse-only apart', async () => {
    const { team } = await sample();
    const run = await world.run(team, { categorize_orphans: true });
    expect(resultOf(run)).toMatchObject({
      persons_without_pg_data: 4,
      persons_truly_orphaned: 2,
      persons_ch_only: 2,
      persons_marked_deleted: 0,
    });
    expect(resultOf(run)).not.toHaveProperty('persons_would_be_marked_deleted');
  });

  test('sync only: the fixable get their ids, the others stay', async () => {
    const { team, fixable, truly, chOnly } = await sample();
    const run = await world.run(team, { dry_run: false });
    expect(run.error).toBeUndefined();
    expect(resultOf(run)).toMatchObject({
      total_orphaned_persons: 7,
      distinct_ids_synced: 3,
      persons_marked_deleted: 0,
      dry_run: false,
      ...EMPTY,
    });
    expect(run.partitions.get(`${team}_2026-11-24`)?.kind).toBe('materialized');
    expect(new Set(await world.orphans(team))).toEqual(new Set([...truly, ...chOnly]));
    expect(await world.mappings(team)).toEqual(
      fixable
        .map((id) => ({ distinct_id: `id-${id}`, person_id: id, version: '0', is_deleted: 0 }))
        .sort((a, b) => (a.distinct_id < b.distinct_id ? -1 : 1)),
    );
  });

  test('sync and delete: the ClickHouse-only are tombstoned, with their own creation time; truly orphaned remain', async () => {
    const { team, truly, chOnly } = await sample();
    const run = await world.run(team, { dry_run: false, delete_ch_only_orphans: true, categorize_orphans: true });
    expect(resultOf(run)).toMatchObject({
      distinct_ids_synced: 3,
      persons_truly_orphaned: 2,
      persons_ch_only: 2,
      persons_marked_deleted: 2,
    });
    const left = await eventually(
      () => world.orphans(team),
      (ids) => ids.length === 2,
    );
    expect(new Set(left)).toEqual(new Set(truly));
    for (const id of chOnly) {
      expect(await world.person(team, id)).toEqual({
        is_deleted: 1,
        version: '1',
        created_at: '2024-01-01 00:00:00.000',
        properties: '{}',
      });
    }
  });

  test('limit: only the first, oldest by creation, ties by id; the partition stays as it was', async () => {
    const team = world.newTeam();
    const [young, old] = await world.chPersons([
      { team_id: team, created_at: '2024-01-01 00:00:00.000' },
      { team_id: team, created_at: '2023-01-01 00:00:00.000' },
    ]);
    for (const id of [young, old]) await world.pgPerson(team, id as string, { [`id-${id}`]: 0 });
    const run = await world.run(team, { limit: 1, dry_run: false });
    expect(resultOf(run)).toMatchObject({ total_orphaned_persons: 1, distinct_ids_synced: 1 });
    expect(run.partitions.get(`${team}_2026-11-24`)?.kind).toBe('rehearsed');
    expect(await world.orphans(team)).toEqual([young]);
    expect((await world.run(team, { limit: 5 })).result).toMatchObject({ total_orphaned_persons: 1 });
  });

  test('specific persons: only those, unknown ones and ones that are no orphans aside', async () => {
    const { team, fixable, chOnly } = await sample();
    const [first] = fixable;
    const asked = [first as string, chOnly[0] as string, randomUUID(), (first as string).toUpperCase()];
    const run = await world.run(team, { person_ids: asked, categorize_orphans: true });
    expect(resultOf(run)).toMatchObject({
      total_orphaned_persons: 2,
      persons_with_pg_distinct_ids: 1,
      persons_ch_only: 1,
    });
    const many = [...Array.from({ length: 400 }, () => randomUUID()), ...fixable, ...chOnly];
    expect((await world.run(team, { person_ids: many })).result).toMatchObject({ total_orphaned_persons: 5 });
    expect((await world.run(team, { person_ids: many, limit: 4 })).result).toMatchObject({ total_orphaned_persons: 4 });
  });
});

describe('the seed’s behaviour matrix', () => {
  test.each([
    { dry_run: true, delete_ch_only_orphans: false, synced: false, deleted: 0, wouldBe: undefined },
    { dry_run: true, delete_ch_only_orphans: true, synced: false, deleted: 0, wouldBe: 2 },
    { dry_run: false, delete_ch_only_orphans: false, synced: true, deleted: 0, wouldBe: undefined },
    { dry_run: false, delete_ch_only_orphans: true, synced: true, deleted: 2, wouldBe: undefined },
  ])('dry_run $dry_run, delete $delete_ch_only_orphans', async ({ synced, deleted, wouldBe, ...flags }) => {
    const { team } = await sample();
    const run = await world.run(team, { ...flags, categorize_orphans: true });
    expect(resultOf(run)).toMatchObject({
      distinct_ids_synced: 3,
      persons_ch_only: 2,
      persons_marked_deleted: deleted,
    });
    expect(run.result?.persons_would_be_marked_deleted).toBe(wouldBe);
    const left = 7 - (synced ? 3 : 0) - deleted;
    expect(
      await eventually(
        () => world.orphans(team),
        (ids) => ids.length === left,
      ),
    ).toHaveLength(left);
    const lines = run.logs.filter((line) => line.message.startsWith('dry run: would')).map((line) => line.message);
    const each = (text: string) => lines.filter((line) => line === text).length;
    expect(each('dry run: would sync distinct ids of a person')).toBe(flags.dry_run ? 3 : 0);
    expect(each('dry run: would mark a person as deleted')).toBe(wouldBe ?? 0);
    for (const line of run.logs.filter((l) => l.message.includes('a person')))
      expect(line.fields).toMatchObject({
        person_uuid: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        dry_run: true,
      });
  });
});

describe('the original’s workflow tests', () => {
  async function hundred() {
    const team = world.newTeam();
    await world.fixable(team, 40);
    await world.trulyOrphaned(team, 30);
    await world.chOnly(team, 30);
    return team;
  }

  test('100 orphans in 4 batches, dry run', async () => {
    const team = await hundred();
    const run = await world.run(team, { batch_size: 30, categorize_orphans: true });
    expect(resultOf(run)).toMatchObject({
      total_orphaned_persons: 100,
      persons_with_pg_distinct_ids: 40,
      distinct_ids_synced: 40,
      persons_truly_orphaned: 30,
      persons_ch_only: 30,
      persons_marked_deleted: 0,
      dry_run: true,
    });
    expect(run.phases.filter((phase) => phase === 'lookup_pg_distinct_ids')).toHaveLength(4);
    expect(await world.orphans(team)).toHaveLength(100);
  });

  test('the same for real, in pages of 7 rows and read back every 3 ids: 60 are left', async () => {
    const team = await hundred();
    const { defineOrphanSync } = await import('../../src/orphan-sync/asset.ts');
    const run = await world.run(
      team,
      { batch_size: 3, dry_run: false },
      { asset: defineOrphanSync({ pageRows: 7, readBackRows: 3 }) },
    );
    expect(resultOf(run)).toMatchObject({
      total_orphaned_persons: 100,
      persons_with_pg_distinct_ids: 40,
      distinct_ids_synced: 40,
      persons_without_pg_data: 60,
      persons_marked_deleted: 0,
      ...EMPTY,
    });
    expect(await world.orphans(team)).toHaveLength(60);
    expect(world.published.filter(({ value }) => value.team_id === team)).toHaveLength(40);
  });
});

describe('messages', () => {
  test('several ids of a person keep their own versions, null is 0, any text passes, and moved ones become overrides', async () => {
    const team = world.newTeam();
    const [id] = await world.chOnly(team, 1);
    const odd = `o'dd "id" \\ é 😀 ${'x'.repeat(300)}`;
    await world.pgPerson(team, id as string, { plain: null, moved: 3, [odd]: 12 });
    const run = await world.run(team, { dry_run: false });
    expect(resultOf(run)).toMatchObject({ persons_with_pg_distinct_ids: 1, distinct_ids_synced: 3, ...EMPTY });
    expect(Object.fromEntries((await world.mappings(team)).map((row) => [row.distinct_id, row.version]))).toEqual({
      plain: '0',
      moved: '3',
      [odd]: '12',
    });
    const overrides = await eventually(
      () =>
        world.resources.clickhouse.rows<{ distinct_id: string }>(
          'SELECT distinct_id FROM person_distinct_id_overrides FINAL WHERE team_id = {team:Int64} ORDER BY distinct_id',
          { params: { team } },
        ),
      (rows) => rows.length === 2,
    );
    expect(overrides.map((row) => row.distinct_id)).toEqual(['moved', odd]);
  });

  test('an id whose tombstone in ClickHouse is newer is reported, not claimed', async () => {
    const team = world.newTeam();
    const [id] = await world.fixable(team, 1);
    await world.chMappings([
      { team_id: team, distinct_id: `id-${id}`, person_id: id as string, is_deleted: 1, version: 100 },
    ]);
    const run = await world.run(team, { dry_run: false });
    expect(resultOf(run)).toMatchObject({
      distinct_ids_synced: 1,
      distinct_ids_superseded: 1,
      distinct_ids_not_arrived: 0,
    });
    expect(run.logs).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: { count: 1, distinct_ids: [`id-${id}`] } }),
    );
    expect(await world.orphans(team)).toEqual([id]);
  });

  test('an id that does not arrive in time is named in a warning', async () => {
    const team = world.newTeam();
    const [id] = await world.fixable(team, 1);
    const { defineOrphanSync } = await import('../../src/orphan-sync/asset.ts');
    const nowhere = { ...world.resources, kafka: { ...world.resources.kafka, publish: async () => {} } };
    const run = await world.run(
      team,
      { dry_run: false },
      { asset: defineOrphanSync({ readBackWaitMs: 300 }), resources: nowhere },
    );
    expect(resultOf(run)).toMatchObject({
      distinct_ids_synced: 1,
      distinct_ids_superseded: 0,
      distinct_ids_not_arrived: 1,
    });
    expect(run.logs).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: { count: 1, distinct_ids: [`id-${id}`] } }),
    );
  });
});
