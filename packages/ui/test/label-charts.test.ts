/**
 * Runs of job families in the dashboard, on their real data. A relabelling: the usecase distribution and Active Days,
 * before, after and in the source, as charts. Raw events: from a drop reason down to its events.
 */

import {
  appDbBinding,
  clickhouseBinding,
  kafka,
  labelConversationsJob,
  openClickHouse,
  rawEventsMapperBinding,
  rawEventsRoutes,
  rawEventsSettingsBinding,
  reprocessRawEventsJob,
} from '@skein/jobs';
import { defineDeployment, provide } from '@skein/orchestrator';

import { createEmbeddedPublisher } from '../../../infra/embedded/src/embedded-publisher.ts';
import { testClickHouse } from '../../../infra/embedded/test-services/index.ts';
import { type CallCenter, CUSTOMER, openCallCenter } from '../../jobs/test/conversation-labels/call-center.ts';
import { type Skein, openSkein, until } from './harness.ts';

// The harness as it is, over the definitions that this test is about.
jest.mock('./deployment.ts', () => ({
  dashboardDeployment: () =>
    defineDeployment({
      definitions: { jobs: [labelConversationsJob, reprocessRawEventsJob], sensors: [] },
      resources: [
        clickhouseBinding,
        appDbBinding,
        rawEventsMapperBinding,
        rawEventsSettingsBinding,
        provide(kafka, { open: async () => createEmbeddedPublisher(rawEvents.clickhouse) }),
      ],
      routes: [rawEventsRoutes],
    }),
}));

let center: CallCenter;
let rawEvents: Awaited<ReturnType<typeof openRawEvents>>;
let skein: Skein;
beforeAll(async () => {
  [center, rawEvents] = await Promise.all([openCallCenter(), openRawEvents()]);
  skein = await openSkein({
    SKEIN_APP_DB_URL: center.urls.postgres,
    SKEIN_CLICKHOUSE_URL: center.urls.clickhouse,
    FLEXPRICE_RAW_EVENTS_REPROCESSING_DATABASE: rawEvents.database,
  });
});
afterAll(async () => {
  await skein?.close();
  await center?.close();
  await rawEvents?.close();
});

async function openRawEvents() {
  const { url, database, drop } = await testClickHouse({ schemas: ['raw-events'] });
  const clickhouse = openClickHouse(url);
  const close = () => clickhouse.close().then(drop);
  return { clickhouse, database, close };
}

async function ended(job: string, partitions: readonly string[], config: object = {}): Promise<string> {
  const { run_id: id } = await skein.api<{ run_id: string }>('POST', '/launch', { job, partitions, config });
  const run = await until(
    () => skein.api<{ status: string; ended_at: string | null; error: unknown }>('GET', `/runs/${id}`),
    ({ ended_at: at }) => at !== null,
  );
  expect(run).toMatchObject({ status: 'SUCCESS' });
  return id;
}

test('stale labels of two days: bars of every usecase and of the active days', async () => {
  const days = ['2026-02-10', '2026-02-11'];
  const chats = days.flatMap((day) =>
    Array.from({ length: 20 }, (_, i) => ({
      id: `${day}-${i}`,
      agent: i < 10 ? 'b' : 'a',
      usecase: i < 15 ? 'chat' : 'cargo',
      created: `${day}T10:00:00Z`,
      ended: `${day}T10:30:00Z`,
    })),
  );
  await center.addChats(chats);
  for (const agent of ['a', 'b']) await center.addOnline(agent, '2026-02-10T00:00:00Z', null);
  await center.plantLabels(
    chats.map(({ id }) => ({
      conversation_id: id,
      usecase_id: 'reservations-chat',
      conversation_start_time: `${id.slice(0, 10)} 10:00:00.000`,
      conversation_end_time: `${id.slice(0, 10)} 10:20:00.000`,
    })),
  );
  const id = await ended(
    'label_conversations_job',
    days.map((day) => `${CUSTOMER}_${day}`),
  );

  const page = await skein.page();
  await page.goto(`${skein.url}/runs/${id}?tab=config`);
  const chart = page.getByRole('table').filter({ hasText: 'after − source' });
  await chart.waitFor();
  const rows = await chart.getByRole('row').all();
  expect(await Promise.all(rows.map((row) => row.locator('th, td').allInnerTexts()))).toEqual([
    ['Usecase', 'before', 'after', 'source', 'after − source'],
    ['cargo', '0', '10', '10', '0'],
    ['chat', '0', '30', '30', '0'],
    ['reservations-chat', '40', '0', '0', '0'],
    // Only agent a was labelled; both had worked on both days.
    ['Active Days', '2', '4', '4', '0'],
  ]);
  await page.getByText('verified', { exact: true }).waitFor();

  // Bars, not only words: the longest is that of the 40.
  const width = async (row: string, side: string) => {
    const bar = chart.getByRole('row').filter({ hasText: row }).locator(`[data-side="${side}"] i`);
    return (await bar.last().boundingBox())?.width ?? 0;
  };
  const [before, after] = [await width('reservations-chat', 'before'), await width('cargo', 'after')];
  expect(before).toBeGreaterThan(0);
  expect(after / before).toBeCloseTo(0.25, 1);
  expect(await width('reservations-chat', 'after')).toBe(0);
  expect(skein.faults).toEqual([]);
});

test('a drop reason leads to its events, with their payloads; the address holds what is open', async () => {
  const row = (id: string, payload: string) => ({
    ...{ id, payload, tenant_id: 't1', environment_id: 'e1', external_customer_id: 'null', event_name: 'openai-null' },
    timestamp: '2026-03-21T10:00:00.500Z',
  });
  const event = { id: 'a', methodName: 'm', providerName: 'p', createdAt: '2026-03-21T10:00:00Z' };
  await rawEvents.clickhouse.insert('raw_events', [
    row('raw-good', JSON.stringify({ ...event, orgId: 'o', data: { modelName: 'm' } })),
    row('raw-nobody', JSON.stringify({ ...event, providerName: '<b>whose</b>' })),
    row('raw-empty', '{}'),
    row('raw-modelless', JSON.stringify({ ...event, orgId: 'o', data: {} })),
    row('raw-broken', '{'),
  ]);
  const id = await ended('reprocess_raw_events_job', ['t1_2026-03-21']);
  const sent = await rawEvents.clickhouse.rows<{ id: string }>('SELECT id FROM usage_events');
  expect(sent).toEqual([{ id: 'a' }]);

  const page = await skein.page();
  await page.goto(`${skein.url}/runs/${id}?tab=config`);
  await page.getByRole('button', { name: /^missing model name/ }).waitFor();
  const counters = page.locator('.card').filter({ hasText: 'not delivered' }).locator('.count-line');
  const chart = await counters.allTextContents();
  expect(chart).toEqual(['found5', 'published1', 'dropped3', 'not understood1', 'not delivered0']);
  const bars = await counters.locator('i').all();
  const widths = await Promise.all(bars.map(async (bar) => (await bar.boundingBox())?.width ?? 0));
  expect(widths.map((width) => Math.round((5 * width) / (widths[0] ?? 0)))).toEqual([5, 1, 3, 1, 0]);
  await page.getByRole('button', { name: /^missing org id/ }).click();
  const events = page.getByRole('table').filter({ hasText: 'Raw event' });
  const shown = () => events.locator('tbody tr:not(.opened)').locator('td:first-child').allInnerTexts();
  await events.waitFor();
  expect((await shown()).sort()).toEqual(['raw-empty', 'raw-nobody']);
  await page.getByRole('button', { name: 'raw-nobody' }).click();
  await page.getByText('"providerName": "<b>whose</b>"').waitFor();

  await page.reload();
  await page.getByText('"providerName": "<b>whose</b>"').waitFor();
  await page.getByRole('button', { name: /^missing model name/ }).click();
  await page.getByRole('button', { name: 'raw-modelless' }).waitFor();
  expect(await shown()).toEqual(['raw-modelless']);
  expect(skein.faults).toEqual([]);
});
