/** Verification must fail on every kind of damage and name the rows; and the command's exit code says so. */

import { Command } from 'commander';
import { appDb, clickhouse, labelsCommand } from '@skein/jobs';
import type { CommandContext, Json, Resource } from '@skein/orchestrator';

import { type CallCenter, CUSTOMER, openCallCenter, partition } from './call-center.ts';

let center: CallCenter;
beforeEach(async () => {
  center = await openCallCenter();
  await center.addOnline('a', '00:00', '23:00');
  await center.addChats([
    { id: 'c1' },
    { id: 'c2', usecase: 'cargo' },
    { id: 'c3', agent: 'b' },
    { id: 'c4', agent: 'b', source: 8 },
  ]);
  const run = await center.run({ partitions: [partition()] });
  expect(run).toMatchObject({ status: 'SUCCESS', result: { rows: 4, verified: true } });
});
afterEach(() => center.close());

interface Verified {
  readonly code: number;
  readonly passed: boolean;
  readonly failed: readonly string[];
  readonly named: readonly { readonly kind: string; readonly conversation_id: string; readonly description: string }[];
  readonly database: Readonly<Record<string, unknown>>;
  readonly lines: string;
}

async function verify(...more: string[]): Promise<Verified> {
  return command('verify', '--customer', CUSTOMER, '--from', '2026-02-10', '--to', '2026-02-10', ...more);
}

async function command(...args: string[]): Promise<Verified> {
  let code = -1;
  let value: unknown;
  let lines: readonly string[] = [];
  const context: CommandContext = {
    env: {},
    open: async <T>(token: Resource<T>) =>
      (token.name === clickhouse.name ? center.clickhouse : token.name === appDb.name ? center.appDb : undefined) as T,
    client: async () => {
      throw new TypeError('no ledger here');
    },
    print: (json: Json, text) => {
      value = json;
      lines = text();
    },
    note: () => {},
    exitWith: (given) => {
      code = given;
    },
  };
  const program = new Command();
  labelsCommand.register(program, (action) => action(context));
  await program.parseAsync(['node', 'skein', 'labels', ...args]);
  const { passed, databases } = value as {
    passed: boolean;
    databases: { points: { name: string; passed: boolean }[]; named: Verified['named'] }[];
  };
  const [database] = databases;
  return {
    code,
    passed,
    lines: lines.join('\n'),
    database: (database ?? {}) as Verified['database'],
    failed: (database?.points ?? []).filter((point) => !point.passed).map((point) => point.name),
    named: database?.named ?? [],
  };
}

const alter = (sql: string) =>
  center.clickhouse.command(`ALTER TABLE ${center.database}.conversation_with_labels ${sql}`, {
    settings: { mutations_sync: '2' },
  });

test('clean labels pass all eight points, and nothing stays behind', async () => {
  const found = await verify();
  expect(found).toMatchObject({ code: 0, passed: true, failed: [] });
  expect((found.database.points as unknown[]).length).toBe(8);
  expect(found.lines).toContain('All eight points pass.');
  expect(
    await center.clickhouse.rows(
      `SELECT name FROM system.tables WHERE database = '${center.database}' AND name LIKE 'skein%'`,
    ),
  ).toEqual([]);
});

test('a wrong agent with equal counts', async () => {
  await alter(`DELETE WHERE conversation_id = 'c1'`);
  await center.plantLabels([{ agent_user_id: 'b' }]);
  const found = await verify();
  expect(found.code).toBe(1);
  expect(found.failed).toEqual(expect.arrayContaining(['rows']));
  expect(found.named).toEqual([
    {
      kind: 'different',
      profile_id: 'chat',
      conversation_id: 'c1',
      description: 'chat/c1: agent_user_id is “b”, in the source “a”',
    },
  ]);
});

test('a wrong usecase and a wrong end', async () => {
  await alter(`UPDATE usecase_id = 'chat' WHERE conversation_id = 'c2'`);
  await alter(`DELETE WHERE conversation_id = 'c3'`);
  await center.plantLabels([
    {
      conversation_id: 'c3',
      agent_user_id: 'b',
      has_agent_assistance: false,
      conversation_end_time: '2026-02-10 01:50:00.001',
    },
  ]);
  const found = await verify();
  expect(found.failed).toEqual(['rows', 'usecases']);
  expect(found.named.map((row) => row.description)).toEqual([
    'chat/c2: usecase_id is “chat”, in the source “cargo”',
    'chat/c3: conversation_end_time is “2026-02-10 01:50:00.001”, in the source “2026-02-10 01:50:00.000”',
  ]);
});

test('a missing row', async () => {
  await alter(`DELETE WHERE conversation_id = 'c3'`);
  const found = await verify();
  expect(found.failed).toEqual(expect.arrayContaining(['rows', 'days', 'usecases']));
  expect(found.named).toMatchObject([
    { kind: 'missing', conversation_id: 'c3', description: expect.stringContaining('the source has agent “b”') },
  ]);
});

test('a row too many: of a conversation that is not eligible, or not in the source at all', async () => {
  await center.plantLabels([{ conversation_id: 'ghost' }]);
  const found = await verify();
  expect(found.failed).toContain('rows');
  expect(found.named).toMatchObject([{ kind: 'surplus', conversation_id: 'ghost' }]);
});

test('a duplicate, in the window or in another month, that FINAL does not merge', async () => {
  await center.plantLabels([
    {
      agent_user_id: 'b',
      conversation_end_time: '2026-01-20 01:50:00.000',
      conversation_start_time: '2026-01-20 01:50:00.000',
    },
  ]);
  const found = await verify();
  expect(found.failed).toEqual(expect.arrayContaining(['duplicates']));
  expect(found.named).toMatchObject([
    { kind: 'duplicate', conversation_id: 'c1', description: expect.stringMatching(/2 label rows.*2026-01-20/) },
  ]);
});

test('a duplicate that FINAL would hide', async () => {
  await center.plantLabels([{ update_time: '2026-03-05 00:00:00.000000' }]);
  const found = await verify();
  expect(found.failed).toEqual(expect.arrayContaining(['duplicates']));
  expect(
    (found.database.points as { name: string; description: string }[]).find((p) => p.name === 'duplicates')
      ?.description,
  ).toContain('4 rows with FINAL (0 too many)');
});

test('an end at 1970', async () => {
  await alter(`DELETE WHERE conversation_id = 'c1'`);
  await center.plantLabels([{ conversation_end_time: '1970-01-01 00:00:00.000' }]);
  const found = await verify();
  expect(found.failed).toEqual(expect.arrayContaining(['rows', 'epoch_ends']));
  expect(found.named).toMatchObject([
    {
      conversation_id: 'c1',
      description: expect.stringContaining('conversation_end_time is “1970-01-01 00:00:00.000”'),
    },
  ]);
});

test('wrong assistance shows in Active Days', async () => {
  await alter(`UPDATE has_agent_assistance = false WHERE conversation_id IN ('c1', 'c2')`);
  const found = await verify();
  expect(found.failed).toEqual(['active_days']);
  expect(found.lines).toContain('a on 2026-02-10: 0 instead of 1');
});

test('an unfinished mutation', async () => {
  await center.clickhouse.command(`SYSTEM STOP MERGES ${center.database}.conversation_with_labels`);
  await center.clickhouse.command(
    `ALTER TABLE ${center.database}.conversation_with_labels DELETE WHERE conversation_id = 'none'`,
    { settings: { mutations_sync: '0' } },
  );
  const found = await verify();
  await center.clickhouse.command(`SYSTEM START MERGES ${center.database}.conversation_with_labels`);
  expect(found.failed).toEqual(['mutations']);
});

test('counts that are 1.9 % apart fail; a tolerance lets counts pass, but never rows', async () => {
  await center.plantLabels([{ conversation_id: 'ghost' }]);
  expect((await verify('--tolerance', '0')).failed).toEqual(expect.arrayContaining(['rows', 'days', 'usecases']));
  const found = await verify('--tolerance', '50');
  expect(found.failed).toEqual(['rows']);
  expect(found.code).toBe(1);
});

test('at most 20 rows of a kind are named; all are counted', async () => {
  await center.plantLabels(
    Array.from({ length: 30 }, (_, i) => ({ conversation_id: `g${String(i).padStart(2, '0')}` })),
  );
  const found = await verify();
  expect(found.database.rows_surplus).toBe(30);
  expect(found.named).toHaveLength(20);
});

test('the range of a run that does damage fails that run', async () => {
  const { tamper } = await import('./tampering.ts');
  // Somebody changes a row right after it was written, before the run verifies.
  const meddling = tamper(center.clickhouse, {
    command: async (sql, pass) => {
      if (sql.includes('skein_label_expected') && sql.includes('CREATE'))
        await alter(`UPDATE usecase_id = 'hacked' WHERE conversation_id = 'c1'`);
      return pass(sql);
    },
  });
  const run = await center.run({ partitions: [partition()], clickhouse: meddling });
  expect(run.status).toBe('FAILURE');
  expect(run.error).toMatchObject({ code: 'LABELS_DISAGREE' });
  expect(String(run.error)).toContain('chat/c1: usecase_id is “hacked”, in the source “reservations-chat”');
});

test('days that are none, and ranges that are empty, are refused', async () => {
  await expect(command('verify', '--customer', CUSTOMER, '--from', '2026-02-30', '--to', '2026-03-01')).rejects.toThrow(
    '--from “2026-02-30”',
  );
  await expect(command('verify', '--customer', CUSTOMER, '--from', '2026-02-10', '--to', '2026-02-09')).rejects.toThrow(
    '--to 2026-02-09 lies before',
  );
});
