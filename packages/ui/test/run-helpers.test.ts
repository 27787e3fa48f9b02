/** What the pages of runs work out by themselves: attempts and phases, the axis of time, the strip beside a log, its lines. */

import type { LogLine, RunEvent } from '../src/api/generated/client.ts';
import { formatDuration, formatRelative, formatTime } from '../src/parts/time.ts';
import { compareIds, lineAt, marksOf, placeOf } from '../src/runs/log-map.ts';
import { piecesOf, shortAttempt, textOf } from '../src/runs/log-text.ts';
import { attemptsOf, criticalOf } from '../src/runs/spans.ts';
import { axisOf } from '../src/runs/time-axis.ts';

const MINUTE = 60_000;
const BEGAN = Date.parse('2026-11-25T10:00:00Z');
const event = (minute: number, type: string, fields: Record<string, unknown>) =>
  ({ at: new Date(BEGAN + minute * MINUTE).toISOString(), type, fields }) as unknown as RunEvent;
const minutes = (at: number | undefined) => at && (at - BEGAN) / MINUTE;

test('an attempt has its phases, what came before the first and after the last', () => {
  const [attempt, ...others] = attemptsOf(
    [
      event(0, 'run.started', {}),
      event(1, 'phase.started', { attempt: 'r.0.m.1', phase: 'read' }),
      event(2, 'retry.hint', { attempt: 'r.0.m.1' }),
      event(3, 'phase.ended', { attempt: 'r.0.m.1', phase: 'read' }),
      event(3, 'phase.started', { attempt: 'r.0.m.1', phase: 'write' }),
      event(6, 'phase.ended', { attempt: 'r.0.m.1', phase: 'write' }),
      event(7, 'unit.ended', { unit: 'r.0.m', attempt: 1, verdict: 'ok' }),
    ],
    { startedAt: BEGAN, endedAt: BEGAN + 8 * MINUTE },
  );
  expect(others).toEqual([]);
  expect(attempt).toMatchObject({ id: 'r.0.m.1', unit: 'r.0.m', verdict: 'ok', marks: [{ name: 'retry.hint' }] });
  // The run's only unit begins with the run.
  expect([minutes(attempt?.from), minutes(attempt?.to)]).toEqual([0, 7]);
  expect(attempt?.phases.map(({ name, from, to }) => [name, minutes(from), minutes(to)])).toEqual([
    ['starting', 0, 1],
    ['read', 1, 3],
    ['write', 3, 6],
    ['committing', 6, 7],
  ]);
});

test('what a worker that stops hands on ends there, and says so once', () => {
  const attempts = attemptsOf(
    [
      event(0, 'unit.started', { attempt: 'r.0.t1.1', worker: 'w1' }),
      event(2, 'unit.ended', { unit: 'r.0.t1', attempt: 1, verdict: 'handed_on' }),
      event(2, 'attempt.handed_on', { unit: 'r.0.t1', attempt: 1 }),
      event(3, 'unit.started', { attempt: 'r.0.t1.2', worker: 'w2' }),
    ],
    { startedAt: BEGAN, endedAt: undefined },
  );
  expect(attempts.map(({ verdict, worker, marks }) => [verdict, worker, marks])).toEqual([
    ['handed_on', 'w1', []],
    [undefined, 'w2', []],
  ]);
});

test('a failed attempt says when the next one comes, a lost one who had it, an open one goes on', () => {
  const attempts = attemptsOf(
    [
      event(0, 'unit.started', { attempt: 'r.0.t1.1', worker: 'w1' }),
      event(2, 'attempt.failed', { unit: 'r.0.t1', attempt: 1, retry_in_ms: 30_000 }),
      event(3, 'unit.started', { attempt: 'r.0.t1.2', worker: 'w2' }),
      event(4, 'attempt.lost', { unit: 'r.0.t1', attempt: 2, worker: '' }),
      event(5, 'unit.started', { attempt: 'r.0.t1.3', worker: 'w3' }),
      event(6, 'phase.started', { attempt: 'r.0.t1.3', phase: 'read' }),
    ],
    { startedAt: BEGAN, endedAt: undefined },
  );
  expect(attempts.map(({ id, verdict, worker }) => [id, verdict, worker])).toEqual([
    ['r.0.t1.1', 'failed', 'w1'],
    ['r.0.t1.2', 'lost', 'w2'],
    ['r.0.t1.3', undefined, 'w3'],
  ]);
  expect(minutes(attempts[0]?.retryAt)).toBe(2.5);
  expect(attempts[2]).toMatchObject({ to: undefined, phases: [{ name: 'starting' }, { name: 'read', to: undefined }] });
  // The run has ended: what was never closed ends with it, but not before its own last event.
  const events = [event(5, 'unit.started', { attempt: 'r.0.t1.3' }), event(9, 'note', { attempt: 'r.0.t1.3' })];
  expect(minutes(attemptsOf(events, { startedAt: BEGAN, endedAt: BEGAN + 8 * MINUTE })[0]?.to)).toBe(9);
});

test('the critical path is what each end waited for', () => {
  const span = (id: string, from: number, to: number | undefined) =>
    ({ id, from, to }) as unknown as Parameters<typeof criticalOf>[0][number];
  const all = [span('plan', 0, 2), span('short', 2, 3), span('long', 2, 7), span('late', 4, 6), span('settle', 7, 9)];
  expect([...criticalOf(all)]).toEqual(['settle', 'long', 'plan']);
  expect([...criticalOf([...all, span('open', 8, undefined)])]).toEqual(['open', 'long', 'plan']);
  expect(criticalOf([]).size).toBe(0);
});

describe('the axis of time', () => {
  const whole = { from: 0, to: 1_000 };

  test('is even as long as gaps are shown or short', () => {
    for (const axis of [axisOf(whole, [{ from: 0, to: 100 }], false), axisOf(whole, [{ from: 0, to: 950 }], true)]) {
      expect(axis.gaps).toEqual([]);
      expect([0, 250, 1_000].map((at) => axis.place(at))).toEqual([0, 0.25, 1]);
    }
  });

  test('shortens what nothing happened in, and finds each time again', () => {
    const axis = axisOf(
      whole,
      [
        { from: 800, to: 1_000 },
        { from: 0, to: 200 },
        { from: 100, to: 150 },
      ],
      true,
    );
    expect(axis.gaps).toEqual([{ from: 200, to: 800 }]);
    expect(axis.place(800) - axis.place(200)).toBeCloseTo(0.025);
    expect(axis.place(100)).toBeCloseTo(axis.place(200) / 2);
    for (const at of [0, 50, 199, 500, 801, 1_000]) expect(axis.timeAt(axis.place(at))).toBeCloseTo(at, 3);
    expect([axis.place(-5), axis.place(5_000)]).toEqual([0, 1]);
  });

  test('of a run that took no time has no hole and no end beyond', () => {
    const axis = axisOf({ from: 7, to: 7 }, [], true);
    expect([axis.place(7), axis.place(9)]).toEqual([0, 1]);
    expect(Number.isFinite(axis.timeAt(0.5))).toBe(true);
  });
});

describe('the strip beside a log', () => {
  const stretches = [
    { lines: 100, hits: 1, last: '100-0' },
    { lines: 100, hits: 50, last: '200-0' },
    { lines: 40, hits: 0, last: '240-0' },
  ];
  type Found = Parameters<typeof marksOf>[0];
  const found = {
    stretches,
    items: [
      { id: '3-0', line: 3 },
      { id: '101-0', line: 101 },
    ],
  } as unknown as Found;

  test('marks a hit at its line, and a stretch with more hits than are known along all of it', () => {
    const marks = marksOf(found, 240);
    expect(marks[0]).toEqual({ at: 2 / 240, id: '3-0' });
    const dense = marks.slice(1);
    expect(dense).toHaveLength(100);
    expect([dense[0]?.at, dense.at(-1)?.at]).toEqual([100 / 240, 199 / 240]);
    expect(new Set(dense.map(({ id }) => id))).toEqual(new Set(['200-0']));
    expect(marksOf({ stretches: [], items: [] } as unknown as Found, 0)).toEqual([]);
  });

  test('finds the place of a line, and the line of a place', () => {
    type Stretches = Parameters<typeof placeOf>[1];
    const all = stretches as unknown as Stretches;
    expect([placeOf('50-0', all, 240), placeOf('200-0', all, 240), placeOf('201-0', all, 240)]).toEqual([
      0,
      100 / 240,
      200 / 240,
    ]);
    expect(placeOf('999-0', all, 240)).toBeUndefined();
    expect(placeOf('50-0', all.slice(0, 1), 240)).toBeUndefined();
    expect([lineAt(0, all, 240), lineAt(0.5, all, 240), lineAt(0.99, all, 240), lineAt(1, all, 240)]).toEqual([
      undefined,
      '100-0',
      '200-0',
      '240-0',
    ]);
  });

  test('ids are in the order of their numbers, not of their letters', () => {
    expect(['10-0', '9-0', '9-11', '9-2'].sort(compareIds)).toEqual(['9-0', '9-2', '9-11', '10-0']);
  });
});

describe('a line of a log', () => {
  test('keeps the colours of a program, and shows what else a terminal would obey as its code', () => {
    expect(piecesOf('\u001b[1;31mbad\u001b[0m \u001b[2J\u202eok', '')).toEqual([
      { text: 'bad', colour: 'ansi-red', isBold: true, isHit: false },
      { text: ' \\u001b[2J\\u202eok', colour: undefined, isBold: false, isHit: false },
    ]);
    // Of colours beyond the eight nobody knows how they would read.
    expect(piecesOf('\u001b[38;5;200mx', '')[0]?.colour).toBeUndefined();
  });

  test('has its hits marked, in any case, also across colours', () => {
    const texts = (find: string) =>
      piecesOf('one T\u001b[32mwo\u001b[0m two', find).map(({ text, isHit }) => (isHit ? `[${text}]` : text));
    expect(texts('two')).toEqual(['one ', '[T]', '[wo]', ' ', '[two]']);
    expect(texts('none')).toEqual(['one T', 'wo', ' two']);
    // A letter that becomes two in lower case would shift what follows: nothing is marked rather than the wrong thing.
    expect(piecesOf('İx two', 'two').some(({ isHit }) => isHit)).toBe(false);
  });

  test('is cut where it is long, and opens what is JSON in it', () => {
    const line = (message: string, fields: object = {}) =>
      textOf({ message, fields: { level: 'info', attempt: 'a', message, ...fields } } as unknown as LogLine);
    expect(line('plain')).toEqual({ text: 'plain', left: 0, json: undefined });
    expect(line('with', { rows: 3 })).toEqual({ text: 'with {"rows":3}', left: 0, json: { rows: 3 } });
    expect(line(' {"a":[1]}').json).toEqual({ a: [1] });
    expect(line('{not json').json).toBeUndefined();
    expect(line('x'.repeat(1_500))).toMatchObject({ left: 500 });
    expect(shortAttempt('01RUN.0.m.1')).toBe('0.m.1');
  });
});

test('times in UTC, in a zone by its name, and in words', () => {
  const at = '2026-11-25T03:15:07.042Z';
  expect(formatTime(at, 'utc')).toBe('2026-11-25 03:15:07Z');
  expect(formatTime(at, 'utc', true)).toBe('2026-11-25 03:15:07.042Z');
  expect(formatTime(at, 'Asia/Kathmandu')).toBe('2026-11-25 09:00:07');
  expect(formatTime('2026-07-01T00:00:00Z', 'Europe/Berlin')).toBe('2026-07-01 02:00:00');
  const now = Date.parse(at);
  expect([formatRelative(at, now), formatRelative(at, now + 90_000), formatRelative(at, now - 7_200_000)]).toEqual([
    'now',
    '1 min ago',
    'in 2 h',
  ]);
  expect([850, 2_400, 200_000, 3 * 86_400_000 + 4 * 3_600_000].map((ms) => formatDuration(ms))).toEqual([
    '850 ms',
    '2.4 s',
    '3 min 20 s',
    '3 d 4 h',
  ]);
});
