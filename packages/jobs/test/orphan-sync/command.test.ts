/** `skein orphan-test-data`, and the commands of the documentation, run as they stand there. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { orphanTestDataCommand } from '@skein/jobs';
import type { CommandContext, Json, JsonObject } from '@skein/orchestrator';
import { Command } from 'commander';

import { type World, eventually, openWorld, resultOf } from './persons-world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

/** Runs the command in-process; gives what it printed. */
async function orphanTestData(...args: string[]): Promise<{ value: JsonObject; lines: readonly string[] }> {
  let printed: { value: JsonObject; lines: readonly string[] } | undefined;
  const context: CommandContext = {
    env: {},
    open: async (token) => world.resources[token.name === 'persons_db' ? 'personsDb' : 'clickhouse'] as never,
    client: () => Promise.reject(new Error('not used')),
    print: (value: Json, lines) => (printed = { value: value as JsonObject, lines: lines() }),
    note: () => {},
    exitWith: () => {},
  };
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  orphanTestDataCommand.register(program, (action) => action(context));
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
  await program.parseAsync(['orphan-test-data', ...args], { from: 'user' });
  if (!printed) throw new Error('nothing was printed');
  return printed;
}

test('the three categories are there, with the counts asked for, and the next commands are printed', async () => {
  const team = world.newTeam();
  const { value, lines } = await orphanTestData(
    '--team-id',
    String(team),
    '--fixable',
    '5',
    '--truly-orphaned',
    '3',
    '--ch-only',
    '1',
  );
  expect((value.fixable as string[]).length).toBe(5);
  expect(resultOf(await world.run(team, { categorize_orphans: true }))).toMatchObject({
    persons_with_pg_distinct_ids: 5,
    persons_truly_orphaned: 3,
    persons_ch_only: 1,
  });
  expect(lines.join('\n')).toContain(
    `skein run sync_person_distinct_ids_job --config '{"team_id": ${team}, "dry_run": false}' --wait`,
  );
  const ids = await world.resources.personsDb.reader.query(
    'SELECT distinct_id, version FROM posthog_persondistinctid WHERE team_id = $1',
    [team],
  );
  for (const row of ids.rows as { distinct_id: string }[])
    expect(row.distinct_id).toMatch(/^test-orphan-fixable-\d-[0-9a-f]{8}$/);
});

test('the cleanup takes only what carries the prefix, on both sides, before or after a repair', async () => {
  const team = world.newTeam();
  const kept = await world.fixable(team, 1);
  await orphanTestData('--team-id', String(team), '--prefix', 'test');
  await orphanTestData('--team-id', String(team), '--prefix', 'test-orphan');
  await orphanTestData('--team-id', String(team + 5_000), '--prefix', 'test');
  await world.run(team, { dry_run: false });
  expect((await orphanTestData('--team-id', String(team), '--prefix', 'test', '--cleanup')).value).toMatchObject({
    postgres_persons_deleted: 5,
    postgres_distinct_ids_deleted: 3,
    clickhouse_persons_deleted: 7,
    clickhouse_distinct_ids_deleted: 3,
  });
  const live = await world.resources.clickhouse.rows<{ n: string }>(
    'SELECT count() AS n FROM person FINAL WHERE team_id = {team:Int64} AND is_deleted = 0',
    { params: { team } },
  );
  expect(live).toEqual([{ n: '8' }]);
  expect(
    (await world.mappings(team))
      .filter((row) => row.is_deleted === 0)
      .map((row) => row.distinct_id.replace(/\d-[0-9a-f]{8}$/, ''))
      .sort(),
  ).toEqual([`id-${kept[0]}`, 'test-orphan-fixable-', 'test-orphan-fixable-', 'test-orphan-fixable-'].sort());
  expect(
    (await world.resources.personsDb.reader.query('SELECT 1 FROM posthog_person WHERE team_id = $1', [team])).rowCount,
  ).toBe(6);
  expect((await orphanTestData('--team-id', String(team), '--prefix', 'test', '--cleanup')).value).toMatchObject({
    postgres_persons_deleted: 0,
    clickhouse_persons_deleted: 0,
  });
});

test.each([
  [['--fixable', '3']],
  [['--team-id', 'x']],
  [['--team-id', '1', '--ch-only', '-1']],
  [['--team-id', '1', '--prefix', ' ']],
])('refuses %j', async (args) => {
  await expect(orphanTestData(...args)).rejects.toThrow();
});

test('the commands of the documentation do what they say, as they stand there', async () => {
  const page = readFileSync(join(__dirname, '../../../../docs/jobs/orphan-sync.md'), 'utf8');
  const commands = [...page.matchAll(/```bash\n([\s\S]*?)```/g)].flatMap((block) =>
    (block[1] ?? '').split('\n').filter((line) => line.startsWith('skein ')),
  );
  const counters: JsonObject[] = [];
  for (const command of commands) {
    const data = /^skein orphan-test-data (.*)$/.exec(command);
    if (data) {
      await orphanTestData(...(data[1] ?? '').split(' '));
      continue;
    }
    const run = /^skein run sync_person_distinct_ids_job --config '(\{.*\})' --wait$/.exec(command);
    if (!run) throw new Error(`Not understood: ${command}`);
    counters.push(resultOf(await world.run(1, JSON.parse(run[1] ?? '') as JsonObject)) as JsonObject);
  }
  // 3 + 5 + 3 fixable, 2 + 3 + 2 truly orphaned, 2 + 2 + 2 only in ClickHouse.
  expect(counters).toMatchObject([
    {
      total_orphaned_persons: 24,
      persons_with_pg_distinct_ids: 11,
      distinct_ids_synced: 11,
      persons_without_pg_data: 13,
      persons_truly_orphaned: 0,
      dry_run: true,
    },
    { persons_truly_orphaned: 7, persons_ch_only: 6 },
    { total_orphaned_persons: 2 },
    { total_orphaned_persons: 0 },
    { persons_marked_deleted: 0, persons_would_be_marked_deleted: 6 },
    { total_orphaned_persons: 24, distinct_ids_synced: 11, persons_marked_deleted: 0, dry_run: false },
    { total_orphaned_persons: 13, distinct_ids_synced: 0, persons_marked_deleted: 6 },
  ]);
  expect(
    await eventually(
      () => world.orphans(1),
      (ids) => ids.length === 0,
    ),
  ).toEqual([]);
});
