/** Runs as the CLI shows them: the JSON that scripts read (names fixed by the contract) and lines for people. Pure. */

import type { RunDetail, RunPartition } from '../definitions/client.ts';
import type { Json } from '../definitions/json.ts';
import type { RunStatus } from '../definitions/sensor.ts';
import type { ListedRun } from './ports/runs.ts';
import { duration, paint, pairs, shorten, table, time } from './terminal.ts';

const instant = (date: Date | undefined) => date?.toISOString() ?? null;

/** Exactly what `run --wait --json` ends with. */
export function runResultJson(run: RunDetail): Json {
  return {
    run_id: run.id,
    status: run.status,
    partitions: partitionsJson(run),
    result: run.result ?? {},
    // Where no partition tells why, such as a plan that failed.
    ...(run.error === undefined ? {} : { error: run.error }),
  };
}

function partitionsJson(run: RunDetail): Json[] {
  const several = new Set(run.partitions.map(({ asset }) => asset)).size > 1;
  return run.partitions.map(({ asset, key, outcome, error, metadata }) => ({
    key,
    outcome,
    error,
    metadata,
    ...(several ? { asset } : {}),
  }));
}

export function runSummaryJson(run: ListedRun): { readonly [field: string]: Json } {
  return {
    run_id: run.id,
    job: run.job,
    status: run.status,
    cause: run.cause,
    priority: run.priority,
    tags: run.tags,
    config: run.config ?? null,
    created_at: run.createdAt.toISOString(),
    started_at: instant(run.startedAt),
    ended_at: instant(run.endedAt),
    end_reason: run.endReason ?? null,
    error: run.error ?? null,
    blocked: run.blocked ?? null,
    progress: run.progress ?? null,
    counts: run.counts,
  };
}

export function runDetailJson(run: RunDetail): Json {
  return { ...runSummaryJson(run), partitions: partitionsJson(run), result: run.result ?? {} };
}

function paintStatus(status: RunStatus): string {
  if (status === 'SUCCESS') return paint.green(status);
  if (status === 'FAILURE') return paint.red(status);
  return status === 'CANCELED' || status === 'CANCELING' ? paint.yellow(status) : paint.cyan(status);
}

export function runTable(runs: readonly ListedRun[]): string[] {
  if (runs.length === 0) return ['no runs'];
  return table(
    ['RUN', 'JOB', 'STATUS', 'PARTITIONS', 'CREATED', 'TOOK', 'CAUSE'],
    runs.map((run) => [
      run.id,
      run.job,
      run.status,
      partitionCounts(run),
      time(run.createdAt),
      took(run),
      shorten(run.cause, 40),
    ]),
  );
}

function partitionCounts({ counts }: ListedRun): string {
  const parts = [`${counts.materialized}/${counts.total}`];
  if (counts.failed > 0) parts.push(`${counts.failed} failed`);
  if (counts.skipped > 0) parts.push(`${counts.skipped} skipped`);
  return parts.join(', ');
}

function took(run: ListedRun): string {
  if (run.startedAt === undefined) return '–';
  return duration((run.endedAt ?? new Date()).getTime() - run.startedAt.getTime());
}

/** How many partitions are listed for people; `--json` has them all. */
const SHOWN_PARTITIONS = 50;

export function runLines(run: RunDetail): string[] {
  return [
    ...pairs([
      ['run', run.id],
      ['job', run.job],
      ['status', paintStatus(run.status)],
      ['reason', run.endReason],
      ['error', run.error && `${run.error.message} [${run.error.code}]`],
      ['waits', run.blocked],
      ['cause', run.cause],
      ['created', time(run.createdAt)],
      ['started', time(run.startedAt)],
      ['ended', time(run.endedAt)],
      ['took', took(run)],
      ['worker', run.worker],
      ['code', run.codeVersion],
      ['config', JSON.stringify(run.config)],
      ['tags', JSON.stringify(run.tags)],
      ['partitions', partitionCounts(run)],
    ]),
    ...partitionLines(run.partitions),
    ...(run.result === undefined ? [] : ['', 'result', JSON.stringify(run.result, null, 2)]),
  ];
}

/** What `run --wait` says at the end. */
export function runEndLines(run: RunDetail): string[] {
  return [
    `run ${run.id} ${paintStatus(run.status)}: ${partitionCounts(run)} in ${took(run)}`,
    ...(run.error === undefined ? [] : [`${run.error.message} [${run.error.code}]`]),
    ...partitionLines(run.partitions),
    ...(run.result === undefined ? [] : ['', JSON.stringify(run.result, null, 2)]),
  ];
}

function partitionLines(partitions: readonly RunPartition[]): string[] {
  if (partitions.length === 0) return [];
  // What failed first: that is what one looks for.
  const rank = (one: RunPartition) => (one.outcome === 'failed' ? 0 : 1);
  const shown = [...partitions].sort((a, b) => rank(a) - rank(b)).slice(0, SHOWN_PARTITIONS);
  const rows = shown.map((one) => [
    one.key,
    one.asset,
    one.outcome ?? '–',
    one.error ? shorten(`${one.error.message} [${one.error.code}]`, 120) : shorten(JSON.stringify(one.metadata), 120),
  ]);
  const more = partitions.length - shown.length;
  return ['', ...table(['PARTITION', 'ASSET', 'OUTCOME', ''], rows), ...(more > 0 ? [`… and ${more} more`] : [])];
}
