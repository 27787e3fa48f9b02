/** Restore on real services: what a reconciliation did is undone, and the undoing can be undone. */

import { runAsset } from '@skein/orchestrator/testing';

import { personPropertyReconciliationRestore } from '../../src/reconciliation/restore/asset.ts';
import { withTeamSession } from '../../src/reconciliation/team-session.ts';
import { NOW, type World, daysAgo, openWorld } from './world.ts';

let world: World;
let team = 100;
beforeAll(async () => void (world = await openWorld()));
afterAll(() => world.close());
beforeEach(() => void (team += 10));

const restore = (config: object, runId = 'restore') =>
  runAsset(personPropertyReconciliationRestore, {
    config: { ...config },
    runId,
    now: NOW,
    resources: { clickhouse: world.clickhouse, personsDb: world.personsDb, kafka: world.publisher },
  });

async function reconciled(teams: readonly number[], perTeam: number, runId: string): Promise<string[]> {
  const uuids: string[] = [];
  for (const id of teams) {
    for (let i = 0; i < perTeam; i++) {
      const uuid = await world.person({
        team: id,
        properties: { email: `old${i}`, gone: 1, name: 'n' },
        version: 5,
        metadata: { updatedAt: { email: 't0' }, operation: { email: 'set' } },
      });
      uuids.push(uuid);
      await world.events({
        team: id,
        at: daysAgo(5),
        person: uuid,
        properties: { $set: { email: `new${i}` }, $set_once: { ref: 'g' }, $unset: ['gone'] },
      });
    }
  }
  const result = await world.run({ team_ids: teams }, { runId });
  expect(result.result).toMatchObject({ persons_updated: teams.length * perTeam });
  return uuids;
}

const ORIGINAL = { email: 'old0', gone: 1, name: 'n' };

test.each(['keep_newer', 'full_overwrite'] as const)(
  'restore after reconcile gives the original state (%s), in ClickHouse as well',
  async (conflict_resolution) => {
    const [uuid = ''] = await reconciled([team], 1, `a-${team}`);
    const result = await restore({ job_id: `a-${team}`, conflict_resolution }, `b-${team}`);
    expect(result.status).toBe('SUCCESS');
    expect(result.partitions.get(`${team}_2026-01-20`)).toMatchObject({
      kind: 'materialized',
      metadata: { persons_processed: 1, persons_restored: 1, persons_skipped: 0 },
    });
    const prefix = 'person_property_restore_';
    const counters = { persons_processed_total: 1, persons_restored_total: 1, persons_skipped_total: 0 };
    const rows = await world.clickhouse.rows<{ name: string; increment: number }>(
      "SELECT name, increment FROM custom_metrics_counter_events WHERE startsWith(name, {prefix:String}) AND labels['chunk_id'] = {chunk:String}",
      { params: { prefix, chunk: `team_${team}` } },
    );
    expect(Object.fromEntries(rows.map((row) => [row.name.slice(prefix.length), row.increment]))).toEqual({
      ...counters,
      duration_seconds_total: expect.any(Number),
    });
    for (const [name, value] of Object.entries(counters)) expect(result.counters.get(prefix + name)).toBe(value);
    expect(await world.pgState(uuid)).toMatchObject({
      properties: ORIGINAL,
      version: '7',
      updatedAt: { email: 't0' },
      operation: { email: 'set' },
    });
    expect((await world.pgState(uuid)).properties).toEqual(ORIGINAL);
    expect((await world.chState(uuid))?.properties).toEqual(ORIGINAL);
  },
);

test('a restore can be undone by another', async () => {
  const [uuid = ''] = await reconciled([team], 1, `a-${team}`);
  const after = (await world.pgState(uuid)).properties;
  await restore({ job_id: `a-${team}` }, `b-${team}`);
  await restore({ job_id: `b-${team}` }, `c-${team}`);
  expect((await world.pgState(uuid)).properties).toEqual(after);
});

test('240, 241: what was changed since is kept by keep_newer; restore_wins keeps new keys only', async () => {
  const [uuid = ''] = await reconciled([team], 1, `a-${team}`);
  await world.db.query(
    `UPDATE posthog_person SET properties = properties || '{"email":"mine","extra":1}', version = version + 1 WHERE uuid = $1`,
    [uuid],
  );
  await restore({ job_id: `a-${team}` }, `b-${team}`);
  expect((await world.pgState(uuid)).properties).toEqual({ email: 'mine', extra: 1, name: 'n', gone: 1 });
  await restore({ job_id: `a-${team}`, conflict_resolution: 'restore_wins' }, `c-${team}`);
  expect((await world.pgState(uuid)).properties).toEqual({ email: 'old0', extra: 1, name: 'n', gone: 1 });
});

test('242, 246: a dry run changes nothing and publishes nothing', async () => {
  const [uuid = ''] = await reconciled([team], 1, `a-${team}`);
  const before = await world.pgState(uuid);
  const published = world.published.length;
  const result = await restore({ job_id: `a-${team}`, dry_run: true }, `b-${team}`);
  expect(result.result).toMatchObject({
    persons_processed: 1,
    persons_restored: 0,
    persons_skipped: 1,
    persons_would_be_restored: 1,
  });
  expect(result.partitions.get(`${team}_2026-01-20`)?.kind).toBe('rehearsed');
  expect(await world.pgState(uuid)).toEqual(before);
  expect(world.published.length).toBe(published);
});

test('245, 247, 248, 252: all teams, chosen teams, small pages', async () => {
  const teams = [team, team + 1, team + 2];
  const uuids = await reconciled(teams, 4, `a-${team}`);
  const some = await restore({ job_id: `a-${team}`, team_ids: [team, team + 2], backup_batch_size: 3 }, `b-${team}`);
  expect(some.result).toMatchObject({ teams_count: 2, persons_restored: 8 });
  expect((await world.pgState(uuids[4] ?? '')).properties).toMatchObject({ email: 'new0' });
  const all = await restore({ job_id: `a-${team}`, backup_batch_size: 3 }, `c-${team}`);
  expect(all.result).toMatchObject({ teams_count: 3, persons_processed: 12, persons_restored: 4, persons_skipped: 8 });
});

test('249, 250: chosen persons', async () => {
  const uuids = await reconciled([team, team + 1], 2, `a-${team}`);
  const ids = await Promise.all([0, 3].map(async (i) => Number((await world.pgState(uuids[i] ?? '')).id)));
  expect((await restore({ job_id: `a-${team}`, person_ids: ids }, `b-${team}`)).result).toMatchObject({
    persons_restored: 2,
  });
  expect((await restore({ job_id: `a-${team}`, person_ids: ids, team_ids: [team] }, `c-${team}`)).result).toMatchObject(
    { persons_processed: 1 },
  );
});

test('a person that is gone is named', async () => {
  const [uuid = ''] = await reconciled([team], 1, `a-${team}`);
  const { id } = await world.pgState(uuid);
  await world.db.query('DELETE FROM posthog_person WHERE uuid = $1', [uuid]);
  const result = await restore({ job_id: `a-${team}` }, `b-${team}`);
  expect(result.logs.map((line) => line.message)).toContain(`Failed to restore person after retries: ${id}`);
  expect(result.result).toMatchObject({ persons_processed: 1, persons_skipped: 1 });
});

test('a run without backups is said to have none; an unknown resolution is refused', async () => {
  const result = await restore({ job_id: 'no-such-run' });
  expect(result.error).toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('no-such-run') });
  await expect(restore({ job_id: 'x', conflict_resolution: 'newest' })).rejects.toThrow(
    /conflict_resolution must be one of keep_newer, restore_wins, full_overwrite/,
  );
});

test('reconciliation and restore of a team exclude each other, both ways', async () => {
  await reconciled([team], 1, `a-${team}`);
  const signal = new AbortController().signal;
  await withTeamSession(
    world.personsDb.writer,
    signal,
    { teamId: team, applicationName: 'the other one' },
    async () => {
      const [one, other] = await Promise.all([
        world.run({ team_ids: [team] }),
        restore({ job_id: `a-${team}` }, `b-${team}`),
      ]);
      expect(one.partitions.get(`${team}_2026-01-10`)).toMatchObject({ kind: 'failed', error: { code: 'TEAM_BUSY' } });
      expect(other.partitions.get(`${team}_2026-01-20`)).toMatchObject({
        kind: 'failed',
        error: { code: 'TEAM_BUSY' },
      });
      expect(other.counters.get('person_property_restore_error')).toBe(1);
    },
  );
  expect((await restore({ job_id: `a-${team}` }, `c-${team}`)).result).toMatchObject({ persons_restored: 1 });
});
