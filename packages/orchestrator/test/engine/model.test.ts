/** The ledger against a small model of what it promises: any sequence of commands, both agree after every one. */

import fc from 'fast-check';

import { beginAttempt, saveCheckpoint, settleFailed, settleOk } from '../../src/engine/attempt.ts';
import type { Attempt } from '../../src/engine/attempt.ts';
import { createClient } from '../../src/engine/client.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { registerDefinitions } from '../../src/engine/register.ts';
import { type Harness, openHarness, testDeployment } from './harness.ts';

const SEQUENCES = Number(process.env.SKEIN_MODEL_SEQUENCES ?? 150);
const PARTS = ['1_2024-01-01', '1_2024-01-02', '2_2024-01-01'] as const;
const MAX_LOST = 3;

interface ModelRun {
  readonly id: string;
  readonly part: string;
  /** Under a limit of one run at once. */
  readonly red: boolean;
  /** `queued`: it has its partition, and stands aside for a slot of its limit until the ledger lets it go. */
  phase: 'waiting' | 'queued' | 'dispatched' | 'running' | 'ended';
  status: string;
  attempt: number;
  lost: number;
  held: Attempt | undefined;
  stale: Attempt | undefined;
}

class Model {
  readonly runs: ModelRun[] = [];
  readonly outcome = new Map<string, string>();

  holder(part: string): ModelRun | undefined {
    return this.runs.find((run) => run.part === part && run.phase !== 'waiting' && run.phase !== 'ended');
  }

  end(run: ModelRun, status: string, outcome?: string): void {
    run.phase = 'ended';
    run.status = status;
    run.stale = run.held;
    run.held = undefined;
    if (outcome) this.outcome.set(run.part, outcome);
    const next = this.runs.find((one) => one.part === run.part && one.phase === 'waiting');
    if (next && !this.holder(run.part)) this.claim(next);
  }

  /** What has its partition goes out, but for the limit: which of those that wait for it goes, the ledger decides. */
  claim(run: ModelRun): void {
    run.phase = run.red ? 'queued' : 'dispatched';
    run.status = run.red ? 'QUEUED' : 'STARTING';
  }

  reds(): ModelRun[] {
    return this.runs.filter((run) => run.red && (run.phase === 'dispatched' || run.phase === 'running'));
  }

  again(run: ModelRun): void {
    run.phase = 'dispatched';
    run.attempt++;
    run.stale = run.held;
    run.held = undefined;
  }

  activity(part: string): string {
    const run = this.holder(part);
    if (!run) return 'idle';
    return run.phase === 'dispatched' || run.phase === 'queued'
      ? 'queued'
      : run.status === 'CANCELING'
        ? 'cancelling'
        : 'running';
  }
}

type Command = readonly [
  name: 'submit' | 'begin' | 'ok' | 'fail' | 'retry' | 'lose' | 'cancel' | 'checkpoint' | 'stale',
  which: number,
];

const commands = fc.array(
  fc.tuple(
    fc.constantFrom(
      'submit',
      'submit',
      'begin',
      'begin',
      'ok',
      'fail',
      'retry',
      'lose',
      'cancel',
      'checkpoint',
      'stale',
    ),
    fc.nat(20),
  ) as fc.Arbitrary<Command>,
  { minLength: 5, maxLength: 25 },
);

async function step(engine: Engine, model: Model, [name, which]: Command): Promise<void> {
  const client = createClient(engine);
  if (name === 'submit') {
    const part = PARTS[which % PARTS.length] ?? PARTS[0];
    const free = model.holder(part) === undefined;
    const red = which % 2 === 0;
    const tags = red ? { team: 'red' } : {};
    const { runId } = await client.submit({ job: 'events_job', partitions: [part], tags, cause: 'model' });
    const run: ModelRun = {
      id: runId,
      part,
      red,
      phase: 'waiting',
      status: 'QUEUED',
      attempt: 1,
      lost: 0,
      held: undefined,
      stale: undefined,
    };
    model.runs.push(run);
    if (free) model.claim(run);
    return;
  }
  const run = model.runs[which % Math.max(1, model.runs.length)];
  if (!run) return;
  const canceling = run.status === 'CANCELING';
  switch (name) {
    case 'begin': {
      const begun = await beginAttempt(engine, `${run.id}.0.m.${run.attempt}`, 'model');
      expect(begun !== undefined).toBe(run.phase === 'dispatched');
      if (!begun) return;
      run.phase = 'running';
      run.status = 'STARTED';
      run.held = begun;
      return;
    }
    case 'ok':
      if (!run.held) return;
      expect(
        await settleOk(engine, run.held, { outcomes: [[run.part, { kind: 'materialized', metadata: {} }]] }),
      ).toEqual({ committed: true });
      return model.end(run, canceling ? 'CANCELED' : 'SUCCESS', 'materialized');
    case 'fail':
    case 'retry': {
      if (!run.held) return;
      const retryInMs = name === 'retry' ? 0 : -1;
      expect(
        await settleFailed(engine, run.held, { error: { code: 'X', message: 'x' }, reason: 'user_error', retryInMs }),
      ).toEqual({ committed: true });
      if (canceling) return model.end(run, 'CANCELED');
      return name === 'retry' ? model.again(run) : model.end(run, 'FAILURE', 'failed');
    }
    case 'lose':
      if (!run.held) return;
      await engine.redis.zadd(engine.keys.leases, 1, run.held.id);
      if (canceling) return model.end(run, 'CANCELED');
      run.lost++;
      return run.lost >= MAX_LOST ? model.end(run, 'FAILURE', 'failed') : model.again(run);
    case 'checkpoint':
      if (!run.held) return;
      expect(await saveCheckpoint(engine, run.held, { at: which })).toBe(true);
      run.lost = 0;
      return;
    case 'stale':
      if (!run.stale) return;
      expect(
        await settleOk(engine, run.stale, { outcomes: [[run.part, { kind: 'materialized', metadata: {} }]] }),
      ).toEqual({ committed: false });
      return;
    case 'cancel':
      await client.cancel(run.id, 'model');
      if (run.phase === 'ended') return;
      if (run.phase === 'running') run.status = 'CANCELING';
      else model.end(run, 'CANCELED');
      return;
  }
}

/** Time passes and everything that may go is admitted. */
async function settleDown(engine: Engine): Promise<void> {
  await engine.dispatcher.idle();
  await engine.script('expire', MAX_LOST, 1_000, 60_000);
  await engine.script('admit', 1_000, 60_000);
}

async function agree(engine: Engine, model: Model): Promise<void> {
  const client = createClient(engine);
  for (const run of model.runs.filter(({ phase }) => phase === 'queued')) {
    const { status, blocked } = await client.run(run.id);
    if (status !== 'STARTING') expect(blocked).toBe('the limit of 1 run at once with the tag team=red is reached');
    else Object.assign(run, { phase: 'dispatched', status });
  }
  // Never more than the limit, and never a slot free while one stands aside for it.
  const aside = model.runs.some(({ phase }) => phase === 'queued');
  expect(model.reds().length).toBeLessThanOrEqual(1);
  if (aside) expect(model.reds()).toHaveLength(1);
  expect(await engine.redis.scard(`${engine.keys.prefix}:act:tag:team=red`)).toBe(model.reds().length);
  const statuses = await Promise.all(model.runs.map(async (run) => (await client.run(run.id)).status));
  expect(statuses).toEqual(model.runs.map((run) => run.status));
  const states = await client.partitionStatus('events', PARTS);
  expect(Object.fromEntries(states)).toEqual(
    Object.fromEntries(
      PARTS.map((part) => [part, { outcome: model.outcome.get(part) ?? 'missing', activity: model.activity(part) }]),
    ),
  );
  for (const row of ['1', '2']) {
    expect(JSON.parse((await engine.script('recount', 'events', row, 0)) as string)).toMatchObject({ equal: true });
  }
  expect(await engine.redis.zcard(engine.keys.leases)).toBe(model.runs.filter((run) => run.phase === 'running').length);
}

let harness: Harness;
beforeAll(async () => {
  // Nothing is resent or expires by itself: the commands are all that happens.
  harness = await openHarness(
    { ...testDeployment(() => ({})), tagLimits: [{ tag: 'team', value: 'red', limit: 1 }] },
    { SKEIN_LEASE_MS: '600000', SKEIN_RESEND_MS: '600000' },
  );
});
afterAll(() => harness.close());

test(`the ledger agrees with the model, ${SEQUENCES} random sequences`, async () => {
  const { engine } = harness;
  await fc.assert(
    fc.asyncProperty(commands, async (sequence) => {
      const keys = await engine.redis.keys(`${engine.keys.prefix}:*`);
      if (keys.length > 0) await engine.redis.del(...keys);
      await registerDefinitions(engine.redis, engine.keys.prefix, engine.deployment);
      await engine.script('beat', 'model', JSON.stringify({ concurrency: 100 }), 600_000);
      const model = new Model();
      for (const command of sequence) {
        await step(engine, model, command);
        await settleDown(engine);
        await agree(engine, model);
      }
    }),
    { numRuns: SEQUENCES },
  );
});
