/**
 * Runs as spans, told when they have ended: however they ended, and whoever ended them, the ledger's stream of changes
 * says so. The processes that trace share one place in it, so each end is told once. Nothing is read where nothing is
 * traced.
 */

import type { PastSpan, Tracing } from '../telemetry/tracing.ts';
import type { Engine } from './engine.ts';

const GROUP = 'traces';
const BATCH = 500;

interface Change {
  readonly type: string;
  readonly run: string;
  readonly atMs: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Tells what has ended since the last look; gives how many runs. */
export async function traceEndedRuns(engine: Engine): Promise<number> {
  const { tracing } = engine;
  if (tracing === undefined) return 0;
  let told = 0;
  for (;;) {
    const changes = await nextChanges(engine);
    const ended = changes.filter(({ type }) => type === 'run.ended');
    await tellRuns(engine, tracing, ended);
    for (const lost of changes.filter(({ type }) => type === 'attempt.lost')) await tellLost(engine, tracing, lost);
    told += ended.length;
    if (changes.length < BATCH) return told;
  }
}

async function nextChanges({ redis, keys }: Engine): Promise<Change[]> {
  const read = () =>
    redis.xreadgroup('GROUP', GROUP, 'any', 'COUNT', BATCH, 'NOACK', 'STREAMS', keys.events, '>') as Promise<
      [string, [string, string[] | null][]][] | null
    >;
  const [stream] =
    (await read().catch(async (error: Error) => {
      if (!error.message.startsWith('NOGROUP')) throw error;
      // From a moment ago on, so that nothing is missed while we come up. Another process may make it meanwhile.
      const from = `${Date.now() - 60_000}-0`;
      await redis.xgroup('CREATE', keys.events, GROUP, from, 'MKSTREAM').catch(() => {});
      return read();
    })) ?? [];
  return (stream?.[1] ?? []).flatMap(([, flat]) => (flat === null ? [] : [toChange(flat)]));
}

function toChange(flat: readonly string[]): Change {
  const entry = Object.fromEntries(
    Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]),
  ) as Partial<Record<'t' | 'r' | 'at' | 'd', string>>;
  const { t = '', r = '', at = '0', d = '{}' } = entry;
  return { type: t, run: r, atMs: Number(at), fields: JSON.parse(d) as Record<string, unknown> };
}

const FIELDS = [
  'job',
  'status',
  'created',
  'started',
  'ended',
  'trace',
  'cause',
  'priority',
  'total',
  'n_mat',
  'n_fail',
  'n_skip',
  'end_reason',
  'error',
  'backfill',
] as const;

async function tellRuns({ redis, keys }: Engine, tracing: Tracing, ended: readonly Change[]): Promise<void> {
  if (ended.length === 0) return;
  const pipeline = redis.pipeline();
  for (const { run } of ended) pipeline.hmget(keys.run(run), ...FIELDS);
  const replies = (await pipeline.exec()) ?? [];
  ended.forEach(({ run, fields }, i) => {
    const values = (replies[i]?.[1] ?? []) as (string | null)[];
    const of = (name: (typeof FIELDS)[number]) => values[FIELDS.indexOf(name)] ?? '';
    if (of('ended') === '') return; // taken out meanwhile
    const [startMs, endMs] = [Number(of('created')), Number(of('ended'))];
    const begunMs = of('started') === '' ? endMs : Number(of('started'));
    const { key, asset } = fields as { readonly key?: string; readonly asset?: string };
    const past: PastSpan = {
      name: `run ${of('job')}`,
      startMs,
      endMs,
      fields: {
        'skein.run': run,
        'skein.job': of('job'),
        'skein.status': of('status'),
        'skein.cause': of('cause'),
        'skein.priority': Number(of('priority')),
        'skein.partitions': Number(of('total')),
        'skein.materialized': Number(of('n_mat')),
        'skein.failed': Number(of('n_fail')),
        'skein.skipped': Number(of('n_skip')),
        'skein.asset': asset,
        'skein.partition': key,
        'skein.end_reason': of('end_reason'),
        'skein.backfill': of('backfill'),
      },
      error: of('status') === 'SUCCESS' ? undefined : messageOf(of('error')) || of('end_reason') || of('status'),
    };
    tracing.tellRun(run, of('trace'), past);
    tracing.tellInside(run, of('trace'), { name: 'queue', startMs, endMs: begunMs, fields: { 'skein.run': run } });
  });
}

/** Whoever was at it cannot tell any more. */
async function tellLost({ redis, keys }: Engine, tracing: Tracing, { run, atMs, fields }: Change): Promise<void> {
  const { unit = '', attempt = 0, worker = '' } = fields as { unit?: string; attempt?: number; worker?: string };
  const kept = (await redis.hget(keys.run(run), 'trace')) ?? '';
  const name = 'attempt lost';
  const error = `The worker ${worker} was lost.`;
  const about = { 'skein.run': run, 'skein.unit': unit, 'skein.attempt': attempt, 'skein.worker': worker };
  tracing.tellInside(run, kept, { name, startMs: atMs, endMs: atMs, fields: about, error });
}

function messageOf(error: string): string {
  if (error === '') return '';
  const { message } = JSON.parse(error) as { readonly message?: unknown };
  return typeof message === 'string' ? message : '';
}
