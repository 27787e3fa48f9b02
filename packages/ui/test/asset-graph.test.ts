/** What of the assets is shown: by a query, only what is near, groups as one box; and where an arrow key leads. */

import type { Asset } from '../src/api/generated/client.ts';
import { parseAssetQuery, suggestAssets } from '../src/assets/asset-query.ts';
import { closeGroups, near, only, shapeOf, stepFrom } from '../src/assets/graph/model.ts';

const asset = (key: string, group: string, ...from: string[]) =>
  ({
    ...{ key, group, description: `The ${key} of all.`, missing: 0, jobs: [`${key}_job`], sensors: [] },
    counts: { failed: key === 'c' ? 2 : 0, queued: 0, running: key === 'd' ? 1 : 0, cancelling: 0 },
    depends_on: from.map((one) => ({ asset: one, mapping: 'identity' })),
  }) as unknown as Asset;

/** a → b → c → d, and b → e; a and b are in one group, f stands alone. */
const ASSETS = [
  asset('a', 'lake'),
  asset('b', 'lake', 'a', 'elsewhere'),
  asset('c', 'marts', 'b'),
  asset('d', 'marts', 'c'),
  asset('e', '', 'b'),
  asset('f', ''),
];
const SHAPE = shapeOf(ASSETS, [
  { name: 's', assets: ['a', 'b', 'gone'] },
  { name: 'idle', assets: ['gone'] },
]);
const names = (nodes: Iterable<string>) => [...nodes].map((node) => node.split(':')[1]).sort();

test('sensors feed assets, assets feed assets; what is not here is left out', () => {
  expect(names(SHAPE.nodes)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 's']);
  expect(SHAPE.edges.map((edge) => names(edge).join(''))).toEqual(['as', 'bs', 'ab', 'bc', 'cd', 'be']);
});

test('near an asset: so many steps to both sides, nothing that only shares a neighbour', () => {
  expect(names(near(SHAPE, 'asset:c', 1))).toEqual(['b', 'c', 'd']);
  expect(names(near(SHAPE, 'asset:c', 2))).toEqual(['a', 'b', 'c', 'd', 's']);
  expect(names(near(SHAPE, 'asset:c'))).toEqual(['a', 'b', 'c', 'd', 's']); // e is fed by b, but neither by nor from c
  expect(names(near(SHAPE, 'asset:f', 5))).toEqual(['f']);
  const shape = only(SHAPE, near(SHAPE, 'asset:c', 1));
  expect([names(shape.nodes), shape.edges.length]).toEqual([['b', 'c', 'd'], 2]);
  const ring = { nodes: ['x', 'y'], edges: [['x', 'y'] as const, ['y', 'x'] as const] };
  expect([...near(ring, 'x')].sort()).toEqual(['x', 'y']);
});

test('a closed group is one box with the edges of all its assets, each once and none to itself', () => {
  const shape = closeGroups(SHAPE, ASSETS, new Set(['lake', '']));
  expect(shape.nodes).toEqual(['group:lake', 'asset:c', 'asset:d', 'group:', 'sensor:s']);
  expect(shape.edges).toEqual([
    ['sensor:s', 'group:lake'],
    ['group:lake', 'asset:c'],
    ['asset:c', 'asset:d'],
    ['group:lake', 'group:'],
  ]);
  expect(closeGroups(SHAPE, ASSETS, new Set())).toEqual(SHAPE);
});

test('arrows follow the edges, and go up and down a layer', () => {
  const places = { 'sensor:s': { x: 0, y: 0 }, 'asset:a': { x: 1, y: 0 }, 'asset:b': { x: 2, y: 0 } };
  const more = { ...places, 'asset:c': { x: 3, y: -10 }, 'asset:e': { x: 3, y: 5 } };
  const step = (node: string, arrow: Parameters<typeof stepFrom>[3]) => stepFrom(SHAPE, more, node, arrow);
  expect(step('asset:b', 'ArrowRight')).toBe('asset:e'); // the nearer of the two
  expect(step('asset:e', 'ArrowUp')).toBe('asset:c');
  expect(step('asset:c', 'ArrowDown')).toBe('asset:e');
  expect(step('asset:c', 'ArrowUp')).toBeUndefined();
  expect(step('asset:c', 'ArrowLeft')).toBe('asset:b');
  expect(step('asset:f', 'ArrowLeft')).toBeUndefined();
});

test.each([
  ['', 'abcdef'],
  ['group:lake', 'ab'],
  ['group:lake or status:failed', 'abc'],
  ['GROUP:lake and not a_job', 'ab'],
  ['not (group:lake or status:failed)', 'def'],
  ['group:marts status:active', 'd'],
  ['not group:lake not group:marts', 'ef'],
  ['"the e of"', 'e'],
  ['+c', 'abc'],
  ['+1c', 'bc'],
  ['b+1', 'bce'],
  ['+b+2', 'abcde'],
  ['key:b job:b_job', 'b'],
  ['sensor:s', ''],
])('a query of assets: %s', (query, keys) => {
  const { matches, problem } = parseAssetQuery(query, ASSETS);
  expect(problem).toBeUndefined();
  expect(
    ASSETS.filter(matches)
      .map(({ key }) => key)
      .join(''),
  ).toBe(keys);
});

test.each([
  ['status:late', '“status:late” is not understood.'],
  ['colour:red', '“colour:red” is not understood.'],
  ['group:lake or', 'Something is missing beside “and”, “or” or “()”.'],
  ['not', 'Something is missing after “not”.'],
  ['(group:lake', 'A “)” is missing.'],
  ['group:lake)', 'A “(” is missing.'],
])('a query that is not understood says what: %s', (query, problem) => {
  expect(parseAssetQuery(query, ASSETS).problem).toBe(problem);
});

test('what may come next in a query of assets', () => {
  const texts = (word: string) => suggestAssets(word, ASSETS).map(({ text }) => text);
  expect(texts('')).toEqual(['group:', 'status:', 'key:', 'job:', 'sensor:', '+a+1']);
  expect(texts('st')).toEqual(['status:']);
  expect(texts('status:f')).toEqual(['status:failed']);
  expect(texts('group:')).toEqual(['group:lake', 'group:marts']);
  expect(suggestAssets('key:', [asset('a b', '')]).map(({ text }) => text)).toEqual(['key:"a b"']);
  expect(texts('colour:')).toEqual([]);
});
