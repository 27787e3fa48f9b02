/** A duckling's day end to end on real services. */

import { type Duckling, ducklingEventsBackfill, ducklingPersonsBackfill } from '@skein/jobs';
import type { JsonObject } from '@skein/orchestrator';
import { runAsset } from '@skein/orchestrator/testing';

import { type LakeHouse, openLakeHouse, seedEvents } from './lake-house.ts';

let house: LakeHouse;
let duckling: Duckling;
beforeAll(async () => {
  house = await openLakeHouse();
  duckling = await house.addDuckling(2);
});
afterAll(() => house.close());

const run = (
  partition: string,
  options: { config?: JsonObject; runId?: string; attempt?: number; signal?: AbortSignal } = {},
) => runAsset(ducklingEventsBackfill, { partition, resources: house, ...options });

test('a day arrives in the lake, with the facts of the run', async () => {
  await seedEvents(house, 2, '2024-01-15', 1_000);
  const t0 = performance.now();
  const result = await run('2_2024-01-15', { runId: 'RUNA' });
  console.log(performance.now() - t0, result.error, result.result, duckling.bucket);
  expect(result.status).toBe('SUCCESS');
  for (let i = 0; i < 5; i++) {
    const t1 = performance.now();
    const again = await run('2_2024-01-15', { runId: `RUNB${i}` });
    console.log(performance.now() - t1, again.error, again.result);
  }
  expect(await house.lake(2, 'SELECT count(uuid) AS n, min(timestamp) AS a, max(timestamp) AS b FROM events')).toEqual(
    [],
  );
});
void ducklingPersonsBackfill;
