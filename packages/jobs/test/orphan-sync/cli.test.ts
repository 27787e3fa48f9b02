/** The page's commands through the real command line, ledger and worker; what they print is what the page promises. */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import type { JsonObject } from '@skein/orchestrator';

import { testRedis } from '../../../../infra/embedded/test-services/index.ts';
import { type World, eventually, openWorld } from './persons-world.ts';

const ROOT = join(__dirname, '../../../..');

let world: World;
const ledger = `orphans${process.pid}`;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

/** Runs a line as a shell would, with `--json`. */
async function shell(line: string): Promise<JsonObject> {
  const redis = testRedis();
  const { stdout } = await promisify(execFile)('sh', ['-c', `${line.replace(/^skein /, 'npx skein ')} --json`], {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      ...world.env,
      PERSONS_DB_READER_URL: world.env.PERSONS_DB_WRITER_URL,
      KAFKA_PREFIX: world.topicPrefix,
      SKEIN_REDIS_URL: redis.url,
      SKEIN_REDIS_PREFIX: `{${ledger}}`,
    },
  });
  return JSON.parse(stdout) as JsonObject;
}

test('as it stands in the documentation', async () => {
  const page = readFileSync(join(ROOT, 'docs/jobs/orphan-sync.md'), 'utf8');
  const lines = [...page.matchAll(/```bash\n([\s\S]*?)```/g)].flatMap((block) =>
    (block[1] ?? '').split('\n').filter((line) => line.startsWith('skein ')),
  );
  const line = (text: string) => lines.find((one) => one.includes(text)) ?? `missing: ${text}`;

  const made = await shell(line('orphan-test-data --team-id 1'));
  expect(made).toMatchObject({ team_id: 1, prefix: 'test-orphan' });
  expect(made.next_commands).toContain(line('"dry_run": false}'));

  const rehearsal = await shell(line(`'{"team_id": 1}'`));
  expect(rehearsal).toMatchObject({
    status: 'SUCCESS',
    result: { total_orphaned_persons: 7, distinct_ids_synced: 3, persons_marked_deleted: 0, dry_run: true },
  });
  expect(await world.orphans(1)).toHaveLength(7);

  const repair = await shell(line('"dry_run": false, "delete_ch_only_orphans": true'));
  expect(repair).toMatchObject({
    status: 'SUCCESS',
    partitions: [
      {
        key: `1_${new Date().toISOString().slice(0, 10)}`,
        outcome: 'materialized',
        metadata: { persons_marked_deleted: 2 },
      },
    ],
    result: {
      total_orphaned_persons: 7,
      persons_with_pg_distinct_ids: 3,
      distinct_ids_synced: 3,
      persons_truly_orphaned: 2,
      persons_ch_only: 2,
      persons_marked_deleted: 2,
      dry_run: false,
    },
  });
  expect(
    new Set(
      await eventually(
        () => world.orphans(1),
        (ids) => ids.length === 2,
      ),
    ),
  ).toEqual(new Set(made.truly_orphaned as string[]));

  expect(await shell(line('--cleanup'))).toMatchObject({
    postgres_persons_deleted: 5,
    clickhouse_persons_deleted: 5,
    clickhouse_distinct_ids_deleted: 3,
  });
  expect(await world.orphans(1)).toEqual([]);
});
