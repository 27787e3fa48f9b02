/** Rows keep their places while new ones come. */

import { hold } from '../src/runs/held.ts';

const rows = (...ids: readonly string[]) => ids.map((id) => ({ id, state: 'new' }));
const old = (...ids: readonly string[]) => ids.map((id) => ({ id, state: 'old' }));
const held = (base: readonly { id: string; state: string }[], items: readonly { id: string; state: string }[]) => {
  const { rows: shown, fresh } = hold(base, items, ({ id }) => id);
  return [shown.map(({ id, state }) => (state === 'old' ? `${id}!` : id)).join(' '), fresh];
};

test('what is new waits; what is known is as it is by now, what the page no longer holds as it was', () => {
  expect(held(old('c', 'b', 'a'), rows('c', 'b', 'a'))).toEqual(['c b a', 0]);
  expect(held(old('c', 'b', 'a'), rows('e', 'd', 'c'))).toEqual(['c b! a!', 2]);
  expect(held(old('c', 'b', 'a'), rows('f', 'e', 'd'))).toEqual(['c! b! a!', 3]);
});

test('a next page comes after them; one that matches no longer goes', () => {
  expect(held(old('c', 'b'), rows('d', 'c', 'b', 'a'))).toEqual(['c b a', 1]);
  expect(held(old('c', 'b', 'a'), rows('c', 'a'))).toEqual(['c a', 0]);
  expect(held(old('c', 'b'), rows('c', 'a'))).toEqual(['c a', 0]);
});
