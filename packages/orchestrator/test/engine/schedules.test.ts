import { createClient } from '../../src/engine/client.ts';
import { openTick } from '../../src/engine/tick.ts';
import { type Harness, openHarness, testDeployment, until } from './harness.ts';

let h: Harness;
beforeEach(async () => {
  h = await openHarness(testDeployment(() => ({})));
  await h.worker();
});
afterEach(() => h.close());

const HOUR_MS = 3_600_000;

/** A tick of a schedule that last dealt with its times `hours` ago. */
async function tickAfter(name: string, hours: number): Promise<Record<string, string>> {
  const since = Date.now() - hours * HOUR_MS;
  await h.engine.redis.hset(h.engine.keys.sensor(name), 'plan', since);
  const id = (await openTick(h.engine, name, 'person:test')) ?? '';
  return until(
    () => h.engine.redis.hgetall(h.engine.keys.tick(id)),
    (tick) => tick.status !== 'STARTED',
  );
}

test.each([
  ['all', '5'],
  ['latest', '1'],
])('missed times under the policy %s: %s run', async (policy, requested) => {
  expect(await tickAfter(`hourly_${policy}`, 5)).toMatchObject({ status: 'SUCCESS', decision: 'requested', requested });
});

test('missed times under the policy skip: none, and it says how many', async () => {
  const tick = await tickAfter('hourly_skip', 5);
  // One that is due in this very minute is on time, not missed.
  expect(['0', '1']).toContain(tick.requested ?? '0');
  if (tick.decision === 'skipped') expect(tick.reason).toBe('5 missed times are skipped, as the schedule says');
});

test('the same times are never launched twice, and the next one is planned', async () => {
  await tickAfter('hourly_all', 3);
  const again = await tickAfter('hourly_all', 3);
  expect(again).toMatchObject({ decision: 'suppressed', requested: '0' });
  const runs = await createClient(h.engine).runs({});
  expect(runs).toHaveLength(3);
  expect(runs.every((run) => run.cause.startsWith('schedule:hourly_all:'))).toBe(true);
  const next = Number(await h.engine.redis.zscore(h.engine.keys.due, 'hourly_all'));
  expect(next % HOUR_MS).toBe(0);
  expect(next).toBeGreaterThan(Date.now());
});
