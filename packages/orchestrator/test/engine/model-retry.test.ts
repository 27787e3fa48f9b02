/** Retries against a model: any pattern of failures in three steps, retried in any way until all of it is made. */

import fc from 'fast-check';
import { z } from 'zod';

import { beginAttempt, settleFailed, settleOk } from '../../src/engine/attempt.ts';
import { createClient } from '../../src/engine/client.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { retryRun } from '../../src/engine/retry.ts';
import { defineAsset, defineDeployment, defineJob, materialized } from '../../src/index.ts';
import { type Harness, openHarness, teamDays } from './harness.ts';

const SEQUENCES = Number(process.env.SKEIN_MODEL_SEQUENCES ?? 40);
const ASSETS = ['first', 'second', 'third'] as const;
const KEYS = ['1_2024-01-01', '1_2024-01-02', '2_2024-01-01'] as const;

const deployment = defineDeployment({
  definitions: {
    jobs: [
      defineJob({
        name: 'steps',
        assets: ASSETS.map((key, i) =>
          defineAsset({
            key,
            description: 'A step.',
            partitions: teamDays,
            config: z.object({}),
            dependsOn: ASSETS.slice(Math.max(0, i - 1), i).map((asset) => ({ asset, mapping: 'identity' })),
            materialize: async () => materialized(),
          }),
        ),
      }),
    ],
  },
});

/** Works everything that is out, failing what the pattern says; gives what was worked. */
async function work(engine: Engine, bad: ReadonlySet<string>): Promise<string[]> {
  const did: string[] = [];
  for (;;) {
    await engine.dispatcher.idle();
    await engine.script('admit', 1_000, 600_000);
    const ids = await engine.redis.zrange(engine.keys.outbox, 0, '-1');
    if (ids.length === 0) return did;
    for (const id of ids) {
      const attempt = await beginAttempt(engine, id, 'model');
      if (!attempt) continue;
      const [key = ''] = attempt.parts[0] ?? [];
      did.push(`${attempt.asset}|${key}`);
      if (bad.has(`${attempt.asset}|${key}`))
        await settleFailed(engine, attempt, {
          error: { code: 'X', message: 'x' },
          reason: 'user_error',
          retryInMs: -1,
        });
      else
        await settleOk(engine, attempt, {
          outcomes: [[key, { kind: 'materialized', metadata: { by: attempt.runId } }]],
        });
    }
  }
}

/** Steps in order, each over all partitions but those whose step before has failed. */
function expected(
  todo: ReadonlySet<string>,
  bad: ReadonlySet<string>,
): { did: string[]; made: Set<string>; ok: boolean } {
  const did: string[] = [];
  const made = new Set<string>();
  const failed = new Set<string>();
  for (const [i, asset] of ASSETS.entries()) {
    for (const one of [...todo].filter((field) => field.startsWith(`${asset}|`))) {
      const held = failed.has(one.replace(asset, ASSETS[i - 1] ?? ''));
      if (!held) did.push(one);
      (held || bad.has(one) ? failed : made).add(one);
    }
  }
  return { did, made, ok: failed.size === 0 };
}

const pattern = fc.uniqueArray(fc.tuple(fc.constantFrom(...ASSETS), fc.constantFrom(...KEYS)), {
  maxLength: 3,
  selector: ([asset, key]) => `${asset}|${key}`,
});
const rounds = fc.array(
  fc.tuple(fc.constantFrom('all' as const, 'failed' as const, 'from_failure' as const), pattern),
  { minLength: 1, maxLength: 4 },
);

let harness: Harness;
beforeAll(async () => {
  harness = await openHarness(deployment, { SKEIN_LEASE_MS: '600000', SKEIN_RESEND_MS: '600000' });
});
afterAll(() => harness.close());

test(
  `what a retry does again is what the model says, ${SEQUENCES} sequences`,
  async () => {
    const { engine } = harness;
    const client = createClient(engine);
    const all = new Set(ASSETS.flatMap((asset) => KEYS.map((key) => `${asset}|${key}`)));
    await fc.assert(
      fc.asyncProperty(pattern, rounds, async (firstBad, retries) => {
        await engine.dispatcher.idle();
        const old = await engine.redis.keys(`${engine.keys.prefix}:*`);
        if (old.length > 0) await engine.redis.del(...old);
        const badOf = (list: typeof firstBad) => new Set(list.map(([asset, key]) => `${asset}|${key}`));
        let bad = badOf(firstBad);
        let { runId } = await client.submit({ job: 'steps', partitions: KEYS, cause: 'model' });
        let scope = all; // the partitions and steps of the run that was launched last
        let todo: ReadonlySet<string> = all;
        for (let round = 0; ; round++) {
          const want = expected(todo, bad);
          expect([...(await work(engine, bad))].sort()).toEqual([...want.did].sort());
          const run = await client.run(runId);
          expect(run.status).toBe(want.ok ? 'SUCCESS' : 'FAILURE');
          const done = new Set([...scope].filter((one) => !todo.has(one) || want.made.has(one)));
          expect(run.counts).toMatchObject({ total: scope.size, materialized: done.size });
          for (const p of run.partitions) {
            const field = `${p.asset}|${p.key}`;
            expect([field, p.outcome]).toEqual([field, done.has(field) ? 'materialized' : 'failed']);
            // Taken over is what this run had not to do, and its metadata name the run that did it.
            expect(p.fromRun === undefined).toBe(todo.has(field));
            if (p.fromRun !== undefined) expect(p.metadata).toEqual({ by: p.fromRun });
          }
          for (const asset of ASSETS) {
            expect(await engine.redis.hlen(engine.keys.holders(asset))).toBe(0);
            for (const { activity } of (await client.partitionStatus(asset, KEYS)).values())
              expect(activity).toBe('idle');
            for (const row of ['1', '2'])
              expect(JSON.parse((await engine.script('recount', asset, row, 0)) as string)).toMatchObject({
                equal: true,
              });
          }
          const next = retries[round];
          if (next === undefined || want.ok) return;
          const [how, nextBad] = next;
          const left = new Set(
            KEYS.filter((key) => ASSETS.some((asset) => scope.has(`${asset}|${key}`) && !done.has(`${asset}|${key}`))),
          );
          const nextScope = new Set(
            [...scope].filter((one) => how === 'all' || left.has(one.split('|')[1] as (typeof KEYS)[number])),
          );
          todo = how === 'from_failure' ? new Set([...nextScope].filter((one) => !done.has(one))) : nextScope;
          scope = nextScope;
          bad = badOf(nextBad);
          ({ runId } = await retryRun(engine, runId, how));
        }
      }),
      { numRuns: SEQUENCES },
    );
  },
  60_000 + SEQUENCES * 1_000,
);
