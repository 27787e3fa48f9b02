/** The context that user code is handed: the contract of definitions/context.ts over the ledger. */

import type { Asset } from '../definitions/asset.ts';
import type { StepContext } from '../definitions/context.ts';
import { LeaseLostError, PartitionKeyInvalidError } from '../definitions/errors.ts';
import { orAborted } from '../definitions/or-aborted.ts';
import { type Attempt, saveCheckpoint, settlePartition } from '../engine/attempt.ts';
import type { Engine } from '../engine/engine.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { inSpan } from '../telemetry/tracing.ts';
import type { RunLog } from './run-log.ts';
import { untilTaken } from './until-taken.ts';

export interface ContextParts {
  readonly engine: Engine;
  readonly attempt: Attempt;
  readonly asset: Asset;
  readonly config: unknown;
  readonly resources: unknown;
  readonly log: RunLog;
  readonly signal: AbortSignal;
  readonly metrics: Metrics;
  /** Keys that this attempt has settled by itself. */
  readonly settled: Set<string>;
}

const MAX_CHECKPOINT = 65_536;
/** A phase for each of ten thousand batches would push everything else out of the run's events. */
const MAX_REPEATED_PHASES = 100;

export function createStepContext(parts: ContextParts): StepContext<unknown, unknown, unknown> {
  const { engine, attempt, asset, log } = parts;
  let checkpoint = attempt.checkpoint;
  const phases = new Map<string, number>();
  const stale = () =>
    new LeaseLostError('This attempt has lost its lease; another one is at work, and nothing more is written.');
  const written = <T>(ask: () => Promise<T>) =>
    orAborted(untilTaken(parts.signal, engine.settings.leaseMs, ask), parts.signal);
  return {
    run: { id: attempt.runId, job: attempt.job, tags: attempt.tags, attempt: attempt.number },
    partitions: attempt.parts.map(([key]) => ({ key, value: asset.partitions.parse(key) })),
    config: parts.config,
    resources: parts.resources,
    log,
    signal: parts.signal,
    epoch: attempt.epoch,
    checkpoint: {
      load: () => checkpoint,
      async save(value) {
        parts.signal.throwIfAborted();
        const size = JSON.stringify(value).length;
        if (size > MAX_CHECKPOINT)
          throw new RangeError(`A checkpoint takes at most ${MAX_CHECKPOINT} characters, not ${size}.`);
        if (!(await written(() => saveCheckpoint(engine, attempt, value)))) throw stale();
        checkpoint = value;
      },
    },
    progress: (done, total, note = '') => log.progress(done, total, note),
    async phase(name, work) {
      const nth = (phases.get(name) ?? 0) + 1;
      phases.set(name, nth);
      if (nth > MAX_REPEATED_PHASES) return work();
      const began = performance.now();
      log.event('phase.started', { phase: name });
      try {
        return await inSpan(engine.tracing, `phase ${name}`, undefined, {}, () => work());
      } finally {
        log.event('phase.ended', { phase: name, ms: Math.round(performance.now() - began) });
      }
    },
    event: (name, fields = {}) => log.event(name, fields),
    count: (metric, value, labels = {}) => parts.metrics.count(metric, value, labels),
    async settlePartition(key, outcome) {
      const reply = await written(() => settlePartition(engine, attempt, key, outcome));
      if (reply === 'fenced') throw stale();
      if (reply === 'unknown')
        throw new PartitionKeyInvalidError(`Partition ${key} is not one that this task settles.`);
      parts.settled.add(key);
    },
    now: () => new Date(),
  };
}
