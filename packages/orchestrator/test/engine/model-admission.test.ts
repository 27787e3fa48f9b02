/** What may be out, against what the slots of the workers allow: any mix of priorities, of workers that come and go. */

import fc from 'fast-check';

import { beginAttempt, settleOk } from '../../src/engine/attempt.ts';
import { createClient } from '../../src/engine/client.ts';
import { type Harness, openHarness, testDeployment } from './harness.ts';

const SEQUENCES = Number(process.env.SKEIN_MODEL_SEQUENCES ?? 40);
const FEWEST_OUT = 16;

const commands = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('submit' as const),
      count: fc.integer({ min: 1, max: 30 }),
      priority: fc.constantFrom(-10, 0, 10),
    }),
    fc.record({ do: fc.constant('beat' as const), slots: fc.integer({ min: 0, max: 25 }) }),
    fc.record({ do: fc.constant('work' as const), count: fc.integer({ min: 1, max: 20 }) }),
  ),
  { minLength: 3, maxLength: 10 },
);

let harness: Harness;
beforeAll(async () => {
  // Nothing is resent or expires by itself: the commands are all that happens.
  harness = await openHarness(
    testDeployment(() => ({})),
    { SKEIN_LEASE_MS: '600000', SKEIN_RESEND_MS: '600000' },
  );
});
afterAll(() => harness.close());

test(
  `never more out than the window of its priority, never a place free while one is queued, ${SEQUENCES} sequences`,
  async () => {
    const { engine } = harness;
    const client = createClient(engine);
    const out = () => engine.redis.zrange(engine.keys.outbox, 0, '-1');
    await fc.assert(
      fc.asyncProperty(commands, async (sequence) => {
        await engine.dispatcher.idle();
        const keys = await engine.redis.keys(`${engine.keys.prefix}:*`);
        if (keys.length > 0) await engine.redis.del(...keys);
        const priorities = new Map<string, number>();
        let slots = 0;
        let made = 0;
        for (const command of sequence) {
          // What was out before a command may be more than the window when workers have left since.
          const before = (await out()).length;
          if (command.do === 'submit') {
            for (let i = 0; i < command.count; i++) {
              const { runId } = await client.submit({
                job: 'events_job',
                partitions: [
                  `${(made % 7) + 1}_20${15 + (Math.floor(made / 7) % 10)}-01-${10 + (Math.floor(made / 70) % 20)}`,
                ],
                priority: command.priority,
                cause: 'model',
              });
              made++;
              priorities.set(runId, command.priority);
            }
          } else if (command.do === 'beat') {
            slots = command.slots;
            await engine.script('beat', 'model', JSON.stringify({ concurrency: slots }), 600_000);
          } else {
            for (const id of (await out()).slice(0, command.count)) {
              const attempt = await beginAttempt(engine, id, 'model');
              if (!attempt) throw new TypeError(`${id} is out and not to be had`);
              await settleOk(engine, attempt, {
                outcomes: attempt.parts.map(([key]) => [key, { kind: 'materialized', metadata: {} }] as const),
              });
            }
          }
          await engine.dispatcher.idle();
          await engine.script('admit', 1_000, 600_000);
          const window = Math.max(FEWEST_OUT, 2 * slots);
          const allowed = (priority: number) =>
            priority < 0 ? window - Math.floor(window / 5) : priority > 0 ? 2 * window : window;
          const now = (await out()).length;
          expect(now).toBeLessThanOrEqual(Math.max(before, 2 * window));
          const queued = await client.runs({ status: 'QUEUED', limit: 1_000 });
          for (const run of queued) {
            if (run.blocked === undefined) expect(now).toBeGreaterThanOrEqual(allowed(priorities.get(run.id) ?? 0));
          }
          // A lower one goes out only while no higher one is queued for lack of room.
          const usual = (await out()).filter((id) => (priorities.get(id.split('.')[0] ?? '') ?? 0) <= 0).length;
          expect(usual).toBeLessThanOrEqual(Math.max(before, window));
        }
      }),
      { numRuns: SEQUENCES },
    );
  },
  60_000 + SEQUENCES * 1_000,
);
