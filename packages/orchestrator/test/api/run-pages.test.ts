/** How a page is merged from live and archived runs. */

import { merge } from '../../src/api/reads/run-pages.ts';
import type { RunSummary } from '../../src/definitions/client.ts';

test('merging keeps the order, shows nothing that the live side has not reached, and each run once', () => {
  const run = (id: string, at: number) => ({ id, createdAt: new Date(at) }) as RunSummary;
  const past = (id: string, score: number) => ({ id, score, run: run(id, score) });
  const place = (score: number, id: string) => Buffer.from(`${score}|${id}`).toString('base64url');
  const score = (one: RunSummary) => one.createdAt.getTime();
  const ids = (page: { items: readonly RunSummary[] }) => page.items.map(({ id }) => id).join('');
  const all = { items: [run('e', 50), run('c', 30)], next: null };
  const archived = [past('d', 40), past('c', 30), past('b', 30), past('a', 10)];
  expect(ids(merge(all, archived, 10, undefined, score))).toBe('edcba');
  expect(merge(all, archived, 3, undefined, score)).toMatchObject({ next: place(30, 'c') });
  // The live side stopped at 35: what is older waits for the next page.
  const short = { items: [run('e', 50)], next: place(35, 'x') };
  const bounded = merge(short, archived, 10, { id: 'x', score: 35 }, score);
  expect([ids(bounded), bounded.next]).toEqual(['ed', place(35, 'x')]);
});
