/** `skein ducklings …` on real catalogs, lakes and objects; the ledger is a small fake of the client. */

import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ducklingEventsBackfill, ducklingsCommand } from '@skein/jobs';
import { type JsonObject, type PartitionStatus, type SkeinClient } from '@skein/orchestrator';
import { runAsset } from '@skein/orchestrator/testing';
import { Command } from 'commander';

import { runSkein } from './command-line.ts';
import { type LakeHouse, openLakeHouse, seedEvents } from './lake-house.ts';

let house: LakeHouse;
beforeEach(async () => {
  house = await openLakeHouse();
});
afterEach(() => house.close());

const skein = (line: string, client?: Partial<SkeinClient>) => runSkein(house, line, client);

const flags = '--bucket acme-lake --db-host 127.0.0.1 --db-username skein';

test('add, list, edit, remove: a row comes and goes, and shows no secret', async () => {
  await skein(
    `ducklings add --team-id 7 ${flags} --password-env ACME --role-arn arn:aws:iam::1:role/x --external-id top-secret`,
  );
  const { value, lines } = await skein('ducklings list --json');
  expect(value).toEqual({
    ducklings: [
      {
        team_id: 7,
        bucket: 'acme-lake',
        bucket_region: 'us-east-1',
        db_host: '127.0.0.1',
        db_port: 5432,
        db_name: 'ducklake',
        db_username: 'skein',
        db_password: 'env:ACME',
        cross_account_role_arn: 'arn:aws:iam::1:role/x',
        has_external_id: true,
        enabled: true,
      },
    ],
  });
  expect(JSON.stringify([value, lines])).not.toContain('top-secret');
  await skein('ducklings edit --team-id 7 --disable --db-port 6543 --external-id ');
  expect(await house.ducklings.catalog.get(7)).toMatchObject({
    enabled: false,
    db_port: 6543,
    cross_account_external_id: null,
    bucket: 'acme-lake',
  });
  await skein('ducklings remove --team-id 7 --yes');
  expect((await skein('ducklings list')).value).toEqual({ ducklings: [] });
});

test.each([
  ['--bucket a --db-host h --db-username u --password-env P', /--bucket: use 3 to 63/],
  ['--bucket ../../etc --db-host h --db-username u --password-env P', /--bucket/],
  [flags, /--password-env or --password-file: is missing/],
  [`${flags} --password-env 1X`, /write a reference/],
  [`${flags} --password-env P --password-file F`, /not both/],
  ['', /--bucket: is missing; --db-host: is missing; --db-username: is missing/],
])('add %s is refused by the name of the flag', async (given, message) => {
  await expect(skein(`ducklings add --team-id 7 ${given}`.trim())).rejects.toThrow(message);
  expect(await house.ducklings.catalog.list()).toEqual([]);
});

test('adding twice, editing nobody, and a team id that is none', async () => {
  await skein(`ducklings add --team-id 7 ${flags} --password-env ACME`);
  await expect(skein(`ducklings add --team-id 7 ${flags} --password-env ACME`)).rejects.toThrow(
    /has a duckling already/,
  );
  await expect(skein('ducklings edit --team-id 8 --disable')).rejects.toThrow(/Team 8 has no duckling/);
  await expect(skein('ducklings check --team-id 0x7')).rejects.toThrow(/positive whole number/);
});

test.each([
  ['edit --team-id 8 --disable', /Team 8 has no duckling/],
  ['remove --team-id 8 --yes', /Team 8 has no duckling/],
  ['check --team-id 8', /Team 8 has no duckling/],
  ['orphans --team-id 8', /Team 8 has no duckling/],
  ['reset --team-id 8 --yes', /Team 8 has no duckling/],
  ['edit --team-id 7 --bucket UPPER', /--bucket: use 3 to 63/],
  ['edit --team-id 7 --db-port 70000', /--db-port/],
  ['edit --team-id 7 --db-port 5x', /whole number/],
  ['edit --team-id 7 --enable --disable', /not both/],
  ['edit --team-id 7 --db-host ', /--db-host/],
  ['remove --team-id 7', /Nothing was done: confirm it with --yes/],
  ['remove', /required option '--team-id/],
  ['orphans --team-id -1', /positive whole number/],
  ['orphans --team-id 7 --older-than 1w', /“1w” is no duration/],
  ['reset', /required option '--team-id/],
  ['lists', /unknown command 'lists'/],
  ['list --all', /unknown option '--all'/],
])('ducklings %s is refused and changes nothing', async (line, message) => {
  await skein(`ducklings add --team-id 7 ${flags} --password-env ACME`);
  const before = await house.ducklings.catalog.get(7);
  await expect(skein(`ducklings ${line}`)).rejects.toThrow(message);
  expect(await house.ducklings.catalog.list()).toEqual([before]);
});

test('every subcommand’s help has examples', async () => {
  const program = new Command();
  ducklingsCommand.register(program, async () => {});
  const texts = (program.commands[0]?.commands ?? []).map((command) => {
    let text = '';
    command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
    return text;
  });
  expect(texts).toHaveLength(7);
  for (const text of texts) expect(text).toMatch(/--json[\s\S]*Examples:\n {2}skein ducklings /);
});

test('check tries everything, leaves nothing, and names the step that fails', async () => {
  await house.addDuckling(2);
  const good = await skein('ducklings check --team-id 2');
  expect(good.exit).toBe(0);
  const steps = (good.value.ducklings as unknown as { steps: { step: string; outcome: string }[] }[])[0]?.steps;
  expect(steps?.map((s) => `${s.step}: ${s.outcome}`)).toEqual([
    'assume role: skipped',
    'list: ok',
    'put: ok',
    'get: ok',
    'delete: ok',
    'clickhouse put: ok',
    'catalog connect: ok',
    'lake attach: ok',
  ]);
  expect(readdirSync(join(house.root, 'bucket-2/backfill/.skein-check'))).toEqual([]);

  await house.addDuckling(3, { db_password: 'env:NOT_THE_PASSWORD' });
  house.env.NOT_THE_PASSWORD = 'guess-7';
  writeFileSync(join(house.root, 'bucket-3'), 'a file where a bucket should be');
  const bad = await skein('ducklings check');
  expect(bad.exit).toBe(1);
  expect(bad.value.ok).toBe(false);
  const third =
    (bad.value.ducklings as unknown as { steps: { step: string; outcome: string; detail: string }[] }[])[1]?.steps ??
    [];
  const failed = third.filter((s) => s.outcome === 'failed');
  expect(failed.map((s) => s.step)).toEqual(['list', 'put', 'clickhouse put', 'catalog connect']);
  expect(JSON.stringify(failed)).toMatch(/refuses the password of user/);
  expect(JSON.stringify(bad)).not.toContain('guess-7');
});

test('orphans: exports that nothing refers to, older than the grace; registered ones are never touched', async () => {
  const duckling = await house.addDuckling(2);
  await seedEvents(house, 2, '2024-01-15', 10);
  const run = (runId: string, config: JsonObject = {}) =>
    runAsset(ducklingEventsBackfill, { partition: '2_2024-01-15', resources: house, runId, config });
  const old = String((await run('OLD')).result?.path);
  const current = String((await run('CURRENT')).result?.path);
  const left = String((await run('LEFT', { skip_ducklake_registration: true })).result?.path);
  const fresh = String((await run('FRESH', { skip_ducklake_registration: true })).result?.path);
  const longAgo = new Date(Date.now() - 48 * 3_600_000);
  for (const path of [old, current, left]) utimesSync(path, longAgo, longAgo);

  const listed = await skein('ducklings orphans --team-id 2');
  expect((listed.value.orphans as unknown as { url: string }[]).map((o) => o.url)).toEqual([left]);
  expect(listed.value).toMatchObject({ count: 1, deleted: 0 });
  await expect(skein('ducklings orphans --team-id 2 --delete')).rejects.toThrow(
    /Nothing was done: confirm it with --yes/,
  );
  expect(existsSync(left)).toBe(true);
  const deleted = await skein('ducklings orphans --team-id 2 --delete --yes');
  expect(deleted.value).toMatchObject({ count: 1, deleted: 1 });
  expect([old, current, left, fresh].map((path) => existsSync(path))).toEqual([true, true, false, true]);
  // Another team that shares the bucket and has registered it in its own catalog keeps it, too.
  await house.addDuckling(3, { bucket: duckling.bucket });
  expect((await skein('ducklings orphans --team-id 2 --older-than 0 --delete --yes')).value).toMatchObject({
    deleted: 1,
  });
  expect(await house.lake(2, 'SELECT count(uuid) AS n FROM events')).toEqual([{ n: '10' }]);
  await expect(skein('ducklings orphans --team-id 2 --older-than soon')).rejects.toThrow(
    /--older-than: “soon” is no duration/,
  );
});

test('reset: tables dropped, partitions forgotten, sensors anew but for the other teams; refused while a day is running', async () => {
  await house.addDuckling(2);
  await seedEvents(house, 2, '2024-01-15', 10);
  await runAsset(ducklingEventsBackfill, { partition: '2_2024-01-15', resources: house });
  const calls: string[] = [];
  const states = new Map<string, PartitionStatus>();
  const cursor = { pass_day: '2026-11-24', complete: true, teams: { 2: { next_day: null }, 3: { next_day: null } } };
  let version = 4;
  const client: Partial<SkeinClient> = {
    partitionStatus: async () => states,
    forgetPartitions: async (asset, { row }, by) => {
      calls.push(`forget ${asset} ${row} ${by.startsWith('cli:')}`);
      return 45;
    },
    cursor: async (sensor) => ({ cursor: sensor.includes('full') ? cursor : { day: '2026-11-23' }, version }),
    resetCursor: async (sensor) => {
      calls.push(`reset ${sensor}`);
      return { version: ++version };
    },
    setCursor: async (sensor, value, { ifVersion }) => {
      calls.push(`set ${sensor} ${JSON.stringify(value)} if ${ifVersion === version}`);
      return { version: ++version };
    },
  };
  states.set('2_2024-01-16', { outcome: 'missing', activity: 'running' });
  await expect(skein('ducklings reset --team-id 2 --yes', client)).rejects.toThrow(
    /1 partitions of duckling_events_backfill for team 2 are queued or running \(2_2024-01-16\)/,
  );
  expect(calls).toEqual([]);
  expect(await house.lake(2, 'SELECT count(uuid) AS n FROM events')).toEqual([{ n: '10' }]);
  // One that begins during the reset may have registered before the drop and settle after the forgetting.
  states.clear();
  let asked = 0;
  const late: PartitionStatus = { outcome: 'missing', activity: 'running' };
  const beginning = { ...client, partitionStatus: async () => new Map(++asked > 2 ? [['2_2024-01-16', late]] : []) };
  await expect(skein('ducklings reset --team-id 2 --yes', beginning)).rejects.toThrow(/the states are kept/);
  expect(calls).toEqual([]);
  await runAsset(ducklingEventsBackfill, { partition: '2_2024-01-15', resources: house, runId: 'BETWEEN' });
  const refused = skein('ducklings reset --team-id 2', client);
  await expect(refused).rejects.toThrow(/Nothing was done/);

  const { value } = await skein('ducklings reset --team-id 2 --yes', client);
  expect(value).toMatchObject({
    team_id: 2,
    tables_dropped: ['events'],
    partitions_forgotten: { duckling_events_backfill: 45, duckling_persons_backfill: 45 },
  });
  const kept = '{"pass_day":"2026-11-24","complete":false,"teams":{"3":{"next_day":null}}}';
  expect(calls).toEqual([
    'forget duckling_events_backfill 2 true',
    'forget duckling_persons_backfill 2 true',
    'reset duckling_events_daily_backfill_sensor',
    'reset duckling_events_full_backfill_sensor',
    `set duckling_events_full_backfill_sensor ${kept} if true`,
    'reset duckling_persons_daily_backfill_sensor',
    'reset duckling_persons_full_backfill_sensor',
    `set duckling_persons_full_backfill_sensor ${kept} if true`,
  ]);
  expect(
    await house.lake(
      2,
      "SELECT count(*) AS n FROM duckdb_tables() WHERE database_name = 'lake' AND schema_name = 'posthog'",
    ),
  ).toEqual([{ n: '0' }]);
  const again = await runAsset(ducklingEventsBackfill, { partition: '2_2024-01-15', resources: house, runId: 'ANEW' });
  expect(again.result).toMatchObject({ rows_in_lake: 10 });
});
