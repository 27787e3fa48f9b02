/** The orphan scan's JSON cursor, edited in the dashboard: what it names is what is scanned, on the real databases. */

import { clickhouseBinding, kafkaBinding, personsDbBinding, syncPersonDistinctIdsJob } from '@skein/jobs';
import { defineDeployment } from '@skein/orchestrator';
import { orphanScanSensor } from '@skein/sensors';
import type { Page } from 'playwright-core';

import { COMPLETE, REAL, expectRepaired, mixedTeam } from '../../jobs/test/orphan-sync/mixed-team.ts';
import { type World, openWorld } from '../../jobs/test/orphan-sync/persons-world.ts';
import { type Skein, openSkein, until } from './harness.ts';

// The harness as it is, over the definitions that this test is about.
jest.mock('./deployment.ts', () => ({
  dashboardDeployment: () =>
    defineDeployment({
      definitions: { jobs: [syncPersonDistinctIdsJob], sensors: [orphanScanSensor] },
      resources: [clickhouseBinding, personsDbBinding, kafkaBinding],
    }),
}));

const SENSOR = 'orphan_scan_sensor';
let world: World;
let skein: Skein;
let page: Page;

beforeAll(async () => {
  world = await openWorld();
  skein = await openSkein({
    ...world.env,
    PERSONS_DB_READER_URL: world.env.PERSONS_DB_WRITER_URL,
    KAFKA_PREFIX: world.topicPrefix,
  });
  page = await skein.page();
});
afterAll(async () => {
  await skein?.close();
  await world?.close();
});

const button = (name: string | RegExp) => page.getByRole('button', { name });
const editor = () => page.getByRole('textbox', { name: 'cursor' });
const cursor = async () =>
  (await skein.api<{ cursor: Record<string, unknown> }>('GET', `/sensors/${SENSOR}/cursor`)).cursor;

async function save(text: string, reason: string): Promise<void> {
  await editor().fill(text);
  await button('Save…').click();
  await page.getByRole('dialog').getByLabel('Reason').fill(reason);
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.getByText('The cursor is saved').first().waitFor();
}

interface Tick {
  readonly id: string;
  readonly status: string;
  readonly skip_reason: string | null;
}

/** Presses the button and waits for the tick that it makes. */
async function evaluate(): Promise<Tick> {
  const ticks = () => skein.api<{ items: Tick[] }>('GET', `/sensors/${SENSOR}/ticks`);
  const before = (await ticks()).items.length;
  await button('Evaluate now').click();
  const { items } = await until(ticks, (list) => list.items.length > before && list.items[0]?.status !== 'STARTED');
  return items[0] as Tick;
}

test('teams put into the cursor as JSON are scanned, each with the config beside them, and at most once a day', async () => {
  const [first, second, left] = [await mixedTeam(world), await mixedTeam(world), await mixedTeam(world)];
  const teams = [first, second];
  const today = new Date().toISOString().slice(0, 10);
  await page.goto(`${skein.url}/sensors/${SENSOR}?tab=cursor&edit=json`);
  await editor().getByText('team_ids').waitFor();

  // What the schema refuses cannot be saved, and the field is named.
  await editor().fill('{ "team_ids": [1], "config": { "dry_run": "no" } }');
  await page
    .locator('ul[role="status"]')
    .getByText(/dry_run/)
    .waitFor();
  await button('Save…').click({ force: true });
  expect(await page.getByRole('dialog').count()).toBe(0);
  expect(await cursor()).toMatchObject({ team_ids: null });

  const config = { ...REAL };
  await save(
    JSON.stringify({ team_ids: teams.map(({ team }) => team), teams_per_tick: 2, config }, null, 2),
    'two teams have orphans',
  );
  expect(await cursor()).toMatchObject({ team_ids: teams.map(({ team }) => team), config });

  expect(await evaluate()).toMatchObject({ status: 'SUCCESS' });
  const runs = await until(
    () => skein.api<{ items: { id: string; status: string }[] }>('GET', '/runs'),
    ({ items }) => items.length === 2 && items.every((run) => !['QUEUED', 'STARTING', 'STARTED'].includes(run.status)),
  );
  expect(runs.items.map((run) => run.status)).toEqual(['SUCCESS', 'SUCCESS']);
  for (const team of teams) {
    const { items } = await skein.api<{ items: { id: string }[] }>('GET', `/runs?partition=${team.team}_${today}`);
    expect(items).toHaveLength(1);
    expect(await skein.api('GET', `/runs/${items[0]?.id}`)).toMatchObject({ result: COMPLETE });
    await expectRepaired(world, team);
  }
  expect(await cursor()).toMatchObject({
    config,
    progress: { round: today, last_team: second.team, complete: true },
  });

  // The counters stand on the run's page.
  await page.goto(`${skein.url}/runs/${runs.items[0]?.id}?tab=config`);
  await page.getByText('persons_marked_deleted').first().waitFor();

  // Again: the round is over. With another team in the list, by hand: only that one, whoever asks.
  await page.goto(`${skein.url}/sensors/${SENSOR}?tab=cursor&edit=json`);
  await editor().getByText('team_ids').waitFor();
  expect(await evaluate()).toMatchObject({ status: 'SKIPPED' });
  await save(JSON.stringify({ team_ids: [...teams, left].map(({ team }) => team) }), 'one more, a dry run');
  expect(await evaluate()).toMatchObject({ status: 'SUCCESS' });
  const { items } = await until(
    () => skein.api<{ items: { id: string; status: string }[] }>('GET', '/runs'),
    (list) => list.items.length === 3 && list.items.every((run) => run.status === 'SUCCESS'),
  );
  expect(await skein.api('GET', `/runs/${items[0]?.id}`)).toMatchObject({
    first_partition: `${left.team}_${today}`,
    result: { total_orphaned_persons: 9, dry_run: true },
  });
  expect(await world.orphans(left.team)).toHaveLength(9);
  expect(skein.faults).toEqual([]);
});
