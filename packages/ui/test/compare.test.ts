/** How two runs are compared: steps of the same name beside each other, kinds of lines that only one has. */

import { onlyIn, pairSteps, stepsOf } from '../src/runs/compare.ts';
import type { Attempt } from '../src/runs/spans.ts';

const attempt = (id: string, from: number, to: number | undefined, phases: Attempt['phases'] = []): Attempt => ({
  ...{ id, from, to, phases, unit: id.slice(0, id.lastIndexOf('.')) },
  ...{ verdict: 'ok', worker: undefined, retryAt: undefined, marks: [] },
});

test('a step that was attempted twice took both times; one that still runs is left out', () => {
  const read = { name: 'read', from: 10, to: 40 };
  expect(stepsOf(7, [attempt('R.m.u.1', 10, 40, [read]), attempt('R.m.u.2', 50, 55)])).toEqual([
    { name: 'queued', of: '', ms: 7 },
    { name: 'work', of: '', ms: 35 },
    { name: 'read', of: 'work', ms: 30 },
  ]);
  expect(stepsOf(undefined, [attempt('R.m.u.1', 10, undefined)])).toEqual([]);
});

test('steps are paired by name whatever the run’s id; what one lacks stays open', () => {
  const first = stepsOf(1, [attempt('A.m.u.1', 0, 5), attempt('A.m.v.1', 0, 9)]);
  const second = stepsOf(2, [attempt('B.m.v.1', 0, 4), attempt('B.m.w.1', 0, 3)]);
  expect(pairSteps(first, second)).toEqual([
    { name: 'queued', of: '', first: 1, second: 2 },
    { name: 'step m.u', of: '', first: 5, second: undefined },
    { name: 'step m.v', of: '', first: 9, second: 4 },
    { name: 'step m.w', of: '', first: undefined, second: 3 },
  ]);
});

test('kinds of lines that the other log lacks, errors first; the same words at another level are another kind', () => {
  const kind = (level: string, pattern: string) => ({ level, pattern, count: 1, example: pattern });
  const one = { lines: 3, is_whole: true, items: [kind('info', 'a'), kind('info', 'b'), kind('error', 'a')] };
  const other = { lines: 1, is_whole: true, items: [kind('info', 'a')] };
  expect(onlyIn(one, other).map(({ level, pattern }) => `${level} ${pattern}`)).toEqual(['error a', 'info b']);
  expect(onlyIn(other, one)).toEqual([]);
});
