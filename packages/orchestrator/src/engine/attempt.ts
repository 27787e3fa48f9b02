/** What a worker does to an attempt in the ledger: begin, renew, save a checkpoint, settle. Typed replies, nothing else. */

import type { Json, JsonObject } from '../definitions/json.ts';
import type { PartitionOutcome } from '../definitions/outcome.ts';
import type { Engine, Settled, Taker } from './engine.ts';
import { scrubJson } from '../telemetry/scrub.ts';
import { failpoint } from './failpoint.ts';
import type { Part } from './submit.ts';

type UnitKind = 'm' | 'plan' | 'task' | 'settle';

export interface Attempt {
  /** `<run>.<step>.<name>.<number>` */
  readonly id: string;
  readonly runId: string;
  readonly job: string;
  readonly config: JsonObject;
  readonly tags: Readonly<Record<string, string>>;
  readonly asset: string;
  readonly kind: UnitKind;
  readonly number: number;
  readonly epoch: number;
  readonly parts: readonly Part[];
  readonly input: Json;
  readonly checkpoint: Json | undefined;
  readonly rehearsal: boolean;
  /** Earlier attempts of this unit that failed by themselves. */
  readonly fails: number;
  /** Of what launched the run; '' where that was not traced. */
  readonly trace: string;
}

/** Undefined when another attempt has it, it was cancelled, or the bell rang twice. */
export async function beginAttempt(engine: Engine, id: string, worker: string): Promise<Attempt | undefined> {
  const reply = await engine.begin(worker, id);
  return reply ? toAttempt(id, reply) : undefined;
}

/** `run.step.name` of `run.step.name.attempt`. */
export function unitOf(attempt: string): string {
  return attempt.slice(0, attempt.lastIndexOf('.'));
}

/** Of what the ledger gives when an attempt begins. */
export function toAttempt(id: string, reply: readonly string[]): Attempt {
  const [
    runId = '',
    job = '',
    config = '{}',
    tags = '{}',
    asset = '',
    kind,
    number,
    epoch,
    parts = '[]',
    input = '',
    checkpoint = '',
    rehearsal,
    fails,
    trace = '',
  ] = reply;
  return {
    id,
    runId,
    job,
    config: JSON.parse(config) as JsonObject,
    tags: JSON.parse(tags) as Record<string, string>,
    asset,
    kind: kind as UnitKind,
    number: Number(number),
    epoch: Number(epoch),
    parts: parseList<Part>(parts),
    input: input === '' ? null : (JSON.parse(input) as Json),
    checkpoint: checkpoint === '' ? undefined : (JSON.parse(checkpoint) as Json),
    rehearsal: rehearsal === '1',
    fails: Number(fails),
    trace,
  };
}

/** Lua's JSON writes an empty list as `{}`. */
function parseList<T>(text: string): T[] {
  const value = JSON.parse(text) as T[] | object;
  return Array.isArray(value) ? value : [];
}

export type Renewal = 'ok' | 'cancel' | 'lost';

export async function renewLeases(
  engine: Engine,
  attempts: readonly Pick<Attempt, 'id' | 'epoch'>[],
): Promise<Renewal[]> {
  if (attempts.length === 0) return [];
  failpoint('renew.before');
  const args = attempts.flatMap((a) => [a.id, a.epoch]);
  const replies = (await engine.script('renew', engine.settings.leaseMs, ...args)) as Renewal[];
  failpoint('renew.after');
  return replies;
}

/** False when the attempt is fenced off. */
export async function saveCheckpoint(engine: Engine, attempt: Attempt, value: Json): Promise<boolean> {
  failpoint('checkpoint.before');
  const saved = (await engine.script('checkpoint', attempt.id, attempt.epoch, JSON.stringify(value))) === 1;
  failpoint('checkpoint.after');
  return saved;
}

export type SettlePartitionReply = 'ok' | 'fenced' | 'unknown';

export async function settlePartition(
  engine: Engine,
  attempt: Attempt,
  key: string,
  outcome: PartitionOutcome,
): Promise<SettlePartitionReply> {
  failpoint('partition.before');
  const reply = await engine.script(
    'settle-partition',
    attempt.id,
    attempt.epoch,
    key,
    outcome.kind,
    outcomeJson(engine, outcome),
    versionOf(engine, attempt) ?? '',
  );
  failpoint('partition.after');
  return reply === 1 ? 'ok' : reply === 0 ? 'fenced' : 'unknown';
}

/** Of the code that did the work: this process's. */
function versionOf(engine: Engine, { asset = '' }: { readonly asset?: string }): string | undefined {
  return engine.deployment.assets.get(asset)?.codeVersion;
}

export interface OkVerdict {
  readonly outcomes: readonly (readonly [key: string, outcome: PartitionOutcome])[];
  /** The run's result (materialize of one partition, settle) or the task's. */
  readonly result?: Json;
  readonly tasks?: readonly (readonly [id: string, parts: readonly Part[], input: Json])[];
  readonly maxConcurrent?: number;
}

export interface FailedVerdict {
  readonly error: { readonly code: string; readonly message: string };
  readonly reason: string;
  /** Milliseconds; −1: no more. */
  readonly retryInMs: number;
}

/** Not committed when the attempt was fenced off: nothing was written. */
export async function settleOk(engine: Engine, attempt: Attempt, verdict: OkVerdict, taker?: Taker): Promise<Settled> {
  const version = versionOf(engine, attempt);
  const body = {
    outcomes: verdict.outcomes.map(([key, outcome]) => [key, outcome.kind, outcomeJson(engine, outcome)]),
    ...(verdict.result === undefined ? {} : { result: scrubJson(engine.scrub, JSON.stringify(verdict.result)) }),
    ...(verdict.tasks === undefined
      ? {}
      : { tasks: verdict.tasks.map(([id, parts, input]) => [id, parts, JSON.stringify(input)]) }),
    ...(verdict.maxConcurrent === undefined ? {} : { max: verdict.maxConcurrent }),
    ...(version === undefined ? {} : { version }),
  };
  return engine.settle([attempt.id, attempt.epoch, 'ok', JSON.stringify(body)], taker);
}

export async function settleFailed(
  engine: Engine,
  attempt: Pick<Attempt, 'id' | 'epoch'> & Partial<Pick<Attempt, 'asset'>>,
  verdict: FailedVerdict,
  taker?: Taker,
): Promise<Settled> {
  const version = versionOf(engine, attempt);
  const body = {
    error: scrubJson(engine.scrub, JSON.stringify(verdict.error)),
    reason: verdict.reason,
    retry_in: verdict.retryInMs,
    ...(version === undefined ? {} : { version }),
  };
  return engine.settle([attempt.id, attempt.epoch, 'failed', JSON.stringify(body)], taker);
}

export async function settleCancelled(engine: Engine, attempt: Attempt, taker?: Taker): Promise<Settled> {
  return engine.settle([attempt.id, attempt.epoch, 'cancelled', '{}'], taker);
}

/** Its worker stops; another one goes on, and it counts neither as a failure nor as a loss. */
export async function settleHandedOn(
  engine: Engine,
  attempt: Pick<Attempt, 'id' | 'epoch'>,
  taker?: Taker,
): Promise<Settled> {
  return engine.settle([attempt.id, attempt.epoch, 'handed_on', '{}'], taker);
}

/** What the run's record keeps of a partition, without secrets; `o` is the outcome as people see it. */
function outcomeJson({ scrub }: Engine, outcome: PartitionOutcome): string {
  return scrubJson(scrub, JSON.stringify(recordOf(outcome)));
}

function recordOf(outcome: PartitionOutcome): object {
  switch (outcome.kind) {
    case 'materialized':
      return { o: 'materialized', m: outcome.metadata };
    case 'skipped':
    case 'rehearsed':
      return {
        o: 'skipped',
        reason: outcome.reason,
        m: outcome.metadata,
        ...(outcome.kind === 'rehearsed' ? { rehearsed: true } : {}),
      };
    case 'failed':
      return { o: 'failed', e: outcome.error, m: outcome.metadata };
  }
}
