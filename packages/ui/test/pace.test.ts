/** A backfill over time: bars of one width, and what is left. */

import type { Backfill } from '../src/api/generated/client.ts';
import { barsOf, speedOf } from '../src/backfills/pace.ts';

const MINUTE = 60_000;
const pace = (minute: number, minutes: number, succeeded: number, failed = 0) => ({
  ...{ from: new Date(minute * MINUTE).toISOString(), minutes, succeeded, failed, canceled: 0 },
});

test('minutes without an end are bars too, and the sum goes on through them', () => {
  const { minutes, bars } = barsOf([pace(0, 1, 2), pace(3, 1, 1, 1)], 0, 4 * MINUTE);
  expect(minutes).toBe(1);
  expect(bars.map(({ succeeded, failed, sum }) => [succeeded, failed, sum])).toEqual([
    [2, 0, 2],
    [0, 0, 2],
    [0, 0, 2],
    [1, 1, 4],
  ]);
});

test('a long one has wider bars, never narrower than what was counted, and loses none', () => {
  const many = Array.from({ length: 240 }, (_, i) => pace(i, 1, 1));
  const long = barsOf([...many, pace(600, 60, 7)], 0, 30 * 24 * 60 * MINUTE);
  expect(long.minutes).toBe(360);
  expect(long.bars).toHaveLength(120);
  expect(long.bars.at(-1)?.sum).toBe(247);
  expect(barsOf([pace(300, 60, 1)], 0, 330 * MINUTE).minutes).toBe(60);
});

test('what is left is told from the pace so far; one that rests or has ended is not said to end', () => {
  const one = (status: Backfill['status'], ended: string | null = null) =>
    speedOf(
      {
        ...{ status, total: 30, passed: 10, succeeded: 4, failed: 1, canceled: 0 },
        ...{ created_at: new Date(0).toISOString(), ended_at: ended },
      } as Backfill,
      5 * MINUTE,
    );
  expect(one('IN_PROGRESS')).toEqual({ done: 5, left: 15, perMinute: 1, leftMs: 15 * MINUTE });
  expect(one('PAUSED').leftMs).toBeUndefined();
  expect(one('COMPLETED', new Date(10 * MINUTE).toISOString())).toMatchObject({ perMinute: 0.5, leftMs: undefined });
});
