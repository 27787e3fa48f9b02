/** A relabelling's run in the dashboard: the usecase distribution and Active Days, before, after and in the source, as charts. */

import { appDbBinding, clickhouseBinding, labelConversationsJob } from '@skein/jobs';
import { defineDeployment } from '@skein/orchestrator';

import { type CallCenter, CUSTOMER, openCallCenter } from '../../jobs/test/conversation-labels/call-center.ts';
import { type Skein, openSkein, until } from './harness.ts';

// The harness as it is, over the definitions that this test is about.
jest.mock('./deployment.ts', () => ({
  dashboardDeployment: () =>
    defineDeployment({
      definitions: { jobs: [labelConversationsJob], sensors: [] },
      resources: [clickhouseBinding, appDbBinding],
    }),
}));

let center: CallCenter;
let skein: Skein;
beforeAll(async () => {
  center = await openCallCenter();
  skein = await openSkein({ SKEIN_APP_DB_URL: center.urls.postgres, SKEIN_CLICKHOUSE_URL: center.urls.clickhouse });
}, 180_000);
afterAll(async () => {
  await skein?.close();
  await center?.close();
});

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
  const { run_id: id } = await skein.api<{ run_id: string }>('POST', '/launch', {
    job: 'label_conversations_job',
    partitions: days.map((day) => `${CUSTOMER}_${day}`),
  });
  const ended = await until(
    () => skein.api<{ status: string; ended_at: string | null; error: unknown }>('GET', `/runs/${id}`),
    (run) => run.ended_at !== null,
  );
  expect(ended).toMatchObject({ status: 'SUCCESS' });

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
}, 120_000);
