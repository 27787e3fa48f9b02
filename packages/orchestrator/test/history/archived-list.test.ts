/** Archived and live runs read as one: pages without a gap or a repetition, and the page of a run that has left. */

import { buildApp } from '../../src/api/app.ts';
import { createToken } from '../../src/api/access/tokens.ts';
import type { App } from '../../src/api/context.ts';
import { archiveRuns } from '../../src/history/archive.ts';
import { SILENT } from '../engine/harness.ts';
import { type HistoryHarness, days, openHistory } from './harness.ts';

let h: HistoryHarness;
let app: App;
const open = async (...args: Parameters<typeof openHistory>) => {
  h = await openHistory(...args);
  app = await buildApp(h.engine, { log: SILENT });
};
afterEach(async () => {
  await app.close();
  await h.close();
});

interface Listed {
  readonly items: readonly { readonly id: string; readonly job: string; readonly created_at: string }[];
  readonly next: string | null;
  readonly total: number | null;
}

const get = async <T = Listed>(url: string, headers: Record<string, string> = {}): Promise<T> => {
  const reply = await app.inject({ method: 'GET', url, headers: { host: 'localhost', ...headers } });
  expect([url, reply.statusCode]).toEqual([url, 200]);
  return reply.json<T>();
};

/** All pages of a list. */
async function walk(query: string, limit: number): Promise<string[]> {
  const ids: string[] = [];
  for (let after = ''; ;) {
    const page = await get(`/api/v1/runs?limit=${limit}&${query}${after}`);
    ids.push(...page.items.map(({ id }) => id));
    if (page.next === null) return ids;
    after = `&after=${page.next}`;
  }
}

test('a list goes on into history, in every filter, with the same runs as before they left', async () => {
  await open(({ key }) => {
    if (key.startsWith('2_')) throw new RangeError(`team 2 is odd on ${key}`);
    return { rows: 1 };
  });
  await h.worker({ concurrency: 10 });
  const old = [...(await h.work(days(1, 12))), ...(await h.work(days(2, 5)))];
  const queries = ['', 'job=events_job', 'status=failed', 'status=success', 'partition=1_2024-01-03', 'cause=test'];
  const more = [
    'q=team',
    'q=asset:events',
    'q=duration:<1d',
    'q=duration:>1ms',
    'q=status:failed%20error:odd',
    'q=before:2020-01-01',
    'tag=a=b',
    'status=queued',
  ];
  const before = new Map<string, string[]>();
  for (const query of [...queries, ...more]) before.set(query, await walk(query, 100));
  expect(before.get('')).toHaveLength(17);
  expect(before.get('q=team')).toHaveLength(5);

  expect(await archiveRuns(h.engine, { olderThanMs: 0, limit: 9 })).toMatchObject({ archived: 9 });
  // The same server: what it remembers of history is no longer so.
  for (const [query, ids] of before)
    for (const limit of [1, 4, 100]) expect([query, limit, await walk(query, limit)]).toEqual([query, limit, ids]);
  expect((await get('/api/v1/runs')).total).toBe(17);
  expect((await get('/api/v1/runs?status=failed')).total).toBe(5);

  const fresh = await h.work(days(3, 3));
  expect((await walk('', 5)).slice(0, 3).sort()).toEqual([...fresh].sort());
  expect(new Set(await walk('', 5))).toEqual(new Set([...old, ...fresh]));
});

test('the page of a run that has left: itself, partitions, events, log; limited callers see their own only', async () => {
  await open(({ key }) => (key.startsWith('2_') ? { fail: true } : { rows: 1 }), {
    env: { SKEIN_AUTH_MODE: 'token', SKEIN_AUTH_ADMIN_TOKEN: 'root-of-the-test-0123456789' },
  });
  await h.worker();
  const { runId } = await h.client.submit({ job: 'chunks_job', config: { team_ids: [1, 2, 3] }, cause: 'test' });
  await h.client.wait(runId);
  for (let i = 0; i < 7; i++) {
    const fields = ['l', i % 2 === 0 ? 'info' : 'warn', 'm', `line ${i}`, 'f', `{"n":${i}}`, 'u', 'a', 'at', String(i)];
    await h.engine.redis.xadd(h.engine.keys.runLog(runId), '*', ...fields);
  }
  const headers = { authorization: 'Bearer root-of-the-test-0123456789' };
  const url = `/api/v1/runs/${runId}`;
  const pages = [
    url,
    `${url}/partitions?limit=2`,
    `${url}/events?limit=500`,
    `${url}/events?limit=2`,
    `${url}/log`,
    `${url}/log?limit=3`,
    `${url}/log?tail=2`,
    `${url}/log?level=warn`,
    `${url}/log/find?q=LINE%205`,
    `${url}/log/window?limit=3`,
    `${url}/log/window?limit=3&level=warn`,
  ];
  const before = await Promise.all(pages.map((page) => get<Record<string, unknown>>(page, headers)));
  const place = (before[5] as { next: string }).next;
  pages.push(...['after', 'before', 'around'].map((side) => `${url}/log/window?limit=2&${side}=${place}`));
  for (const page of pages.slice(before.length)) before.push(await get<Record<string, unknown>>(page, headers));
  const rest = await get(`${url}/log?after=${place}`, headers);
  expect(await archiveRuns(h.engine, { olderThanMs: 0, limit: 10 })).toMatchObject({ archived: 1 });
  expect(await h.engine.redis.exists(h.engine.keys.run(runId))).toBe(0);
  for (const [i, page] of pages.entries()) expect([page, await get(page, headers)]).toEqual([page, before[i]]);
  expect(await get(`${url}/log?after=${place}`, headers)).toEqual(rest);
  expect(await get(`${url}/why`, headers)).toMatchObject({ sentences: expect.any(Array) });

  const limitedTo = async (job: string) => {
    const { token } = await createToken(h.engine, { name: job, role: 'viewer', by: 'test', jobs: [job] });
    const reply = await app.inject({ method: 'GET', url, headers: { authorization: `Bearer ${token}` } });
    return reply.statusCode;
  };
  expect([await limitedTo('chunks_job'), await limitedTo('events_job')]).toEqual([200, 404]);
  const missing = await app.inject({ method: 'GET', url: '/api/v1/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV', headers });
  expect(missing.statusCode).toBe(404);
});
