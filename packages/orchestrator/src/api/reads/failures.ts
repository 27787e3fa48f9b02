/** Failed runs grouped by what went wrong: the error's code and its message with what varies masked. */

import { createHash } from 'node:crypto';

import type { RunDetail, RunSummary } from '../../definitions/client.ts';
import type { Engine } from '../../engine/engine.ts';
import { readSummaries } from '../../engine/reads/runs.ts';

export interface FailureGroup {
  readonly fingerprint: string;
  readonly code: string;
  /** Of the newest run. */
  readonly message: string;
  readonly pattern: string;
  readonly runs: number;
  readonly partitions_failed: number;
  readonly jobs: readonly string[];
  readonly first_at: string;
  readonly last_at: string;
  readonly run_ids: readonly string[];
}

const SHOWN_RUNS = 20;

/** Over the newest `limit` failed runs, most frequent first. */
export async function groupFailures(
  engine: Engine,
  options: { readonly limit: number; readonly wanted: (run: RunSummary) => boolean },
): Promise<{ readonly looked_at: number; readonly groups: readonly FailureGroup[] }> {
  const ids = await engine.redis.zrevrange(engine.keys.runsByStatus('FAILURE'), 0, options.limit - 1);
  const runs = (await readSummaries(engine, ids)).filter(options.wanted);
  const errors = await Promise.all(runs.map((run) => errorOf(engine, run)));
  const groups = new Map<string, { runs: RunSummary[]; code: string; message: string; pattern: string }>();
  runs.forEach((run, i) => {
    const { code, message } = errors[i] ?? UNKNOWN;
    const pattern = patternOf(message);
    const key = `${code}\n${pattern}`;
    const group = groups.get(key) ?? { runs: [], code, message, pattern };
    group.runs.push(run);
    groups.set(key, group);
  });
  const found = [...groups].map(([key, group]) => describe(key, group));
  found.sort((a, b) => b.runs - a.runs || (a.last_at < b.last_at ? 1 : -1));
  return { looked_at: runs.length, groups: found };
}

/** The group of failures that a run belongs to; undefined for one that did not fail, or of which nothing is like it. */
export async function failuresLike(
  engine: Engine,
  run: RunDetail,
  options: { readonly limit: number; readonly wanted: (run: RunSummary) => boolean },
): Promise<FailureGroup | undefined> {
  if (run.status !== 'FAILURE') return undefined;
  const { code, message } = run.error ?? run.partitions.find((one) => one.error)?.error ?? UNKNOWN;
  const key = fingerprintOf(`${code}\n${patternOf(message)}`);
  return (await groupFailures(engine, options)).groups.find(({ fingerprint }) => fingerprint === key);
}

const fingerprintOf = (key: string) => createHash('sha256').update(key).digest('hex').slice(0, 16);

function describe(
  key: string,
  { runs, code, message, pattern }: { runs: RunSummary[]; code: string; message: string; pattern: string },
): FailureGroup {
  const times = runs.map((run) => (run.endedAt ?? run.createdAt).toISOString()).sort();
  return {
    fingerprint: fingerprintOf(key),
    code,
    message,
    pattern,
    runs: runs.length,
    partitions_failed: runs.reduce((n, run) => n + run.counts.failed, 0),
    jobs: [...new Set(runs.map((run) => run.job))].sort(),
    first_at: times[0] ?? '',
    last_at: times.at(-1) ?? '',
    run_ids: runs.slice(0, SHOWN_RUNS).map((run) => run.id),
  };
}

const UNKNOWN = { code: 'UNKNOWN', message: 'The run failed without saying why.' };

/** A run over many partitions may have no error of its own: then the first that is found among its partitions. */
async function errorOf(engine: Engine, run: RunSummary): Promise<{ code: string; message: string }> {
  if (run.error !== undefined) return run.error;
  const [, flat] = await engine.redis.hscan(engine.keys.runParts(run.id), 0, 'COUNT', 1_000);
  for (let i = 1; i < flat.length; i += 2) {
    const text = flat[i] ?? '';
    if (!text.includes('"o":"failed"')) continue;
    const { e } = JSON.parse(text) as { e?: { code: string; message: string } };
    if (e) return e;
  }
  return UNKNOWN;
}

/** The message with ids, dates, numbers and quoted values replaced. Pure. */
export function patternOf(message: string): string {
  return message
    .slice(0, 500)
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '<uuid>')
    .replaceAll(/\b[0-9A-HJKMNP-TV-Z]{26}\b/g, '<id>')
    .replaceAll(/(?<!\d)\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z?)?/g, '<time>')
    .replaceAll(/“[^”]*”|"[^"]*"|'[^']*'/g, '<text>')
    .replaceAll(/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b/gi, '<hex>')
    .replaceAll(/\d+(?:\.\d+)?/g, '<n>');
}
