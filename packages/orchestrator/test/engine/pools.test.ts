/** Pools that breathe with their destination, and a person's word over them. */

import { z } from 'zod';

import { createClient } from '../../src/engine/client.ts';
import { whyRun } from '../../src/api/reads/why.ts';
import { probePools, readPool, setPoolLimit } from '../../src/engine/pools.ts';
import {
  type ProbeVerdict,
  ServiceError,
  defineAsset,
  defineDeployment,
  defineJob,
  definePool,
  materialized,
  provide,
  resource,
} from '../../src/index.ts';
import { type Harness, openHarness, teamDays, until } from './harness.ts';

const open: Harness[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

const sink = resource<{ readonly load: number }>('sink', 'A destination.');

function deploymentWith(probe: () => Promise<ProbeVerdict> | ProbeVerdict, work: () => Promise<void> = async () => {}) {
  const asset = defineAsset({
    key: 'filled',
    description: 'Fills the sink.',
    partitions: teamDays,
    config: z.object({}),
    pool: 'sink',
    materialize: async () => {
      await work();
      return materialized();
    },
  });
  return defineDeployment({
    definitions: {
      jobs: [defineJob({ name: 'fill', assets: [asset] })],
      pools: {
        sink: definePool({
          limit: 4,
          min: 1,
          max: 6,
          every: '50ms',
          resources: { sink },
          probe: async ({ resources }) => {
            expect(resources.sink.load).toBe(1);
            return probe();
          },
        }),
      },
    },
    resources: [provide(sink, { open: async () => ({ load: 1 }) })],
  });
}

const harness = async (deployment: ReturnType<typeof deploymentWith>) => {
  const made = await openHarness(deployment);
  open.push(made);
  return { ...made, client: createClient(made.engine) };
};
const ports = { openResources: async () => ({ sink: { load: 1 } }), describe: (error: unknown) => String(error) };

test('a probe lowers and raises the limit within its bounds, the reason is kept, and work follows it', async () => {
  let verdict: ProbeVerdict = { limit: 0, reason: 'parts 1,900 of 2,000' };
  let active = 0;
  let most = 0;
  const waiting: (() => void)[] = [];
  const h = await harness(
    deploymentWith(
      () => verdict,
      async () => {
        most = Math.max(most, ++active);
        await new Promise<void>((resolve) => waiting.push(resolve));
        active--;
      },
    ),
  );
  await probePools(h.engine, ports);
  expect(await readPool(h.engine, 'sink')).toMatchObject({
    limit: 1, // never under its least
    limitBy: 'probe',
    reason: 'parts 1,900 of 2,000',
    defaultLimit: 4,
    bounds: { min: 1, max: 6 },
  });
  const runs = await Promise.all(
    [1, 2, 3, 4, 5, 6, 7, 8].map((team) =>
      h.client.submit({ job: 'fill', partitions: [`${team}_2024-01-01`], cause: 'test' }),
    ),
  );
  await h.worker();
  await until(
    async () => active,
    (n) => n === 1,
  );
  const held = await h.client.run(runs[7]?.runId ?? '');
  expect((await whyRun(h.engine, held)).sentences).toContain(
    'The pool sink is full: 1 of 1 slots are taken (its limit: parts 1,900 of 2,000).',
  );
  verdict = { limit: 99, reason: 'parts 12 of 2,000' };
  await until(
    async () => active,
    (n) => n === 6,
  );
  expect(most).toBe(6);
  expect(await readPool(h.engine, 'sink')).toMatchObject({ limit: 6, reason: 'parts 12 of 2,000' });
  const events = await h.engine.redis.xrange(h.engine.keys.events, '-', '+');
  const changes = events
    .filter(([, fields]) => fields[1] === 'pool.changed')
    .map(([, fields]) => JSON.parse(fields[fields.indexOf('d') + 1] ?? '{}') as object);
  expect(changes).toEqual([
    { pool: 'sink', before: 4, limit: 1, by: 'probe', reason: 'parts 1,900 of 2,000' },
    { pool: 'sink', before: 1, limit: 6, by: 'probe', reason: 'parts 12 of 2,000' },
  ]);
  const drain = setInterval(() => waiting.splice(0).forEach((go) => go()), 5);
  await Promise.all(runs.map(({ runId }) => h.client.wait(runId)));
  clearInterval(drain);
});

test('any number of pulses make one look each time', async () => {
  let looks = 0;
  const h = await harness(
    deploymentWith(() => {
      looks++;
      return { limit: 3, reason: 'fine' };
    }),
  );
  const counts = await Promise.all(Array.from({ length: 20 }, () => probePools(h.engine, ports)));
  expect(counts.reduce((a, b) => a + b, 0)).toBe(1);
  expect(looks).toBe(1);
});

test('a destination that cannot be looked at bears the least, and the reason is told without secrets', async () => {
  const h = await harness(
    deploymentWith(() => {
      throw new ServiceError('clickhouse', 'ClickHouse does not answer.');
    }),
  );
  await probePools(h.engine, { ...ports, describe: (error) => (error as Error).message });
  expect(await readPool(h.engine, 'sink')).toMatchObject({
    limit: 1,
    reason: 'the probe failed: ClickHouse does not answer.',
  });
});

test('a probe that hangs is given up', async () => {
  const h = await harness(deploymentWith(() => new Promise<ProbeVerdict>(() => {})));
  await probePools(h.engine, ports);
  expect((await readPool(h.engine, 'sink')).reason).toMatch(/the probe failed: .*time/i);
});

test('a person’s word counts over the probe, until it is taken back; a probe that is gone leaves nothing', async () => {
  const deployment = deploymentWith(() => ({ limit: 2, reason: 'busy' }));
  const h = await harness(deployment);
  await probePools(h.engine, ports);
  await setPoolLimit(h.engine, 'sink', 5, { by: 'ana', reason: 'month end' });
  expect(await readPool(h.engine, 'sink')).toMatchObject({ limit: 5, limitBy: 'set', reason: 'month end' });
  expect(await setPoolLimit(h.engine, 'sink', undefined, { by: 'ana' })).toMatchObject({
    before: { limit: 5, setLimit: 5 },
    now: { limit: 2, limitBy: 'probe' },
  });
  await expect(setPoolLimit(h.engine, 'nope', 5, { by: 'ana' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  // The next version of the deployment has no probe.
  const { SKEIN_REDIS_URL = '' } = process.env;
  const { openEngine } = await import('../../src/engine/engine.ts');
  const plain = await openEngine(
    { ...deployment, poolProbes: new Map() },
    { env: { SKEIN_REDIS_URL, SKEIN_REDIS_PREFIX: h.engine.settings.prefix } },
  );
  expect(await readPool(plain, 'sink')).toMatchObject({ limit: 4, limitBy: 'definition', reason: '' });
  await plain.close();
});

test('bounds that contradict themselves are refused', () => {
  for (const spec of [{ limit: 2, min: 3 }, { limit: 5, max: 4 }, { limit: 1.5 }, { limit: -1 }])
    expect(() => definePool(spec)).toThrow('min ≤ limit ≤ max');
});
