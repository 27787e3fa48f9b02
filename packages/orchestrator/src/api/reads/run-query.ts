/**
 * What a list of runs is filtered by, also as people type it: `status:failed job:x asset:y partition:"a,b" cause:sensor
 * after:-24h duration:>5m error:TIMEOUT tag:k=v`, and any other words. Pure.
 */

import type { RunSummary } from '../../definitions/client.ts';
import type { RunStatus } from '../../definitions/sensor.ts';
import type { RunQuery } from '../../history/archived-query.ts';
import { RequestInvalidError } from '../errors.ts';

export type { RunQuery };

const STATUS_WORDS: Readonly<Record<string, RunStatus>> = {
  queued: 'QUEUED',
  starting: 'STARTING',
  started: 'STARTED',
  running: 'STARTED',
  success: 'SUCCESS',
  failed: 'FAILURE',
  failure: 'FAILURE',
  canceling: 'CANCELING',
  canceled: 'CANCELED',
  cancelled: 'CANCELED',
};

/** @throws RequestInvalidError */
export function parseStatus(word: string): RunStatus {
  const status = STATUS_WORDS[word.toLowerCase()];
  if (status === undefined)
    throw new RequestInvalidError(
      `query.status: “${word.slice(0, 40)}” is none of ${Object.keys(STATUS_WORDS).join(', ')}.`,
    );
  return status;
}

const TOKEN = /(?:(\w+):)?(?:"((?:[^"\\]|\\.)*)"|(\S+))/g;

/** @throws RequestInvalidError that names the word */
export function parseRunQuery(text: string, now: Date): RunQuery {
  const query: { -readonly [K in keyof RunQuery]: RunQuery[K] } = {};
  const words: string[] = [];
  for (const [, name, quoted, bare] of text.matchAll(TOKEN)) {
    const value = quoted === undefined ? (bare ?? '') : quoted.replaceAll(/\\(.)/g, '$1');
    switch (name) {
      case undefined:
        words.push(value.toLowerCase());
        break;
      case 'status':
        query.status = parseStatus(value);
        break;
      case 'job':
      case 'asset':
      case 'partition':
      case 'cause':
      case 'error':
        query[name] = value;
        break;
      case 'tag':
        query.tags = { ...query.tags, ...parseTag(value) };
        break;
      case 'duration':
        query.took = { ...query.took, ...parseDuration(value), asOf: now };
        break;
      case 'after':
        query.createdAfter = parseInstant(value, now);
        break;
      case 'before':
        query.createdBefore = parseInstant(value, now);
        break;
      default:
        throw new RequestInvalidError(
          `query.q: “${name}:” is not known; there are status, job, asset, partition, cause, error, tag, after, before, duration.`,
        );
    }
  }
  if (words.length > 0) query.text = words;
  return query;
}

/** `k=v`. @throws RequestInvalidError */
export function parseTag(text: string): Record<string, string> {
  const cut = text.indexOf('=');
  if (cut < 1) throw new RequestInvalidError('query.tag: write name=value.');
  return Object.fromEntries([[text.slice(0, cut), text.slice(cut + 1)]]);
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function parseInstant(text: string, now: Date): Date {
  const ago = /^-?(\d{1,6})([mhd])$/.exec(text);
  if (ago) return new Date(now.getTime() - Number(ago[1]) * (UNIT_MS[ago[2] ?? 'm'] ?? 0));
  const at = new Date(text);
  if (Number.isNaN(at.getTime()))
    throw new RequestInvalidError(`query.q: “${text.slice(0, 40)}” is no time; write -24h or 2026-01-31.`);
  return at;
}

/** `>5m`, `<10s`; without a sign it is `>`. @throws RequestInvalidError */
function parseDuration(text: string): { readonly over: number } | { readonly under: number } {
  const [, sign, count, unit = ''] = /^([<>]?)(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text) ?? [];
  const ms = Number(count) * (UNIT_MS[unit] ?? Number.NaN);
  if (Number.isNaN(ms))
    throw new RequestInvalidError(`query.q: “${text.slice(0, 40)}” is no duration; write >5m, <10s or >1.5h.`);
  return sign === '<' ? { under: ms } : { over: ms };
}

/** True when something is asked that no index answers. */
export function isSelective(query: RunQuery): boolean {
  const { job, status, ...rest } = query;
  return (job !== undefined && status !== undefined) || Object.values(rest).some((value) => value !== undefined);
}

/** @param parts the run's partitions as they are kept, JSON of `[key, row, column]` */
export function matches(query: RunQuery, run: RunSummary, parts: string): boolean {
  if (query.jobs !== undefined && !query.jobs.includes(run.job)) return false;
  if (query.job !== undefined && run.job !== query.job) return false;
  if (query.status !== undefined && run.status !== query.status) return false;
  if (query.partition !== undefined && !unescaped(parts).includes(`[${JSON.stringify(query.partition)},`)) return false;
  if (query.cause !== undefined && !run.cause.startsWith(query.cause)) return false;
  if (query.error !== undefined && !errorText(run).includes(query.error)) return false;
  if (query.createdAfter !== undefined && run.createdAt < query.createdAfter) return false;
  if (query.createdBefore !== undefined && run.createdAt >= query.createdBefore) return false;
  if (query.took !== undefined && !tookSo(query.took, run)) return false;
  if (!Object.entries(query.tags ?? {}).every(([name, value]) => run.tags[name] === value)) return false;
  if (query.text === undefined) return true;
  const all = [run.id, run.job, run.cause, errorText(run), unescaped(parts), ...Object.values(run.tags)]
    .join('\n')
    .toLowerCase();
  return query.text.every((word) => all.includes(word));
}

function tookSo({ over, under, asOf }: NonNullable<RunQuery['took']>, run: RunSummary): boolean {
  if (run.startedAt === undefined) return false;
  const ms = (run.endedAt ?? asOf).getTime() - run.startedAt.getTime();
  return (over === undefined || ms > over) && (under === undefined || ms < under);
}

/** Lua’s JSON writes every slash as `\/`, ours none. */
const unescaped = (parts: string) => parts.replaceAll('\\/', '/');

const errorText = (run: RunSummary) => (run.error === undefined ? '' : `${run.error.code} ${run.error.message}`);
