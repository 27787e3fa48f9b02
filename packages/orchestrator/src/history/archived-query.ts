/** What a list of archived runs is filtered by, as SQL with bound values: the same filters that live runs have. Pure. */

import type { DuckDBValue } from '@duckdb/node-api';

import type { RunStatus } from '../definitions/sensor.ts';
import type { RunPlace } from './run-archive.ts';

export interface RunQuery {
  readonly job?: string | undefined;
  /** Only of these, whatever else is asked. */
  readonly jobs?: readonly string[] | undefined;
  readonly status?: RunStatus | undefined;
  readonly partition?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly cause?: string | undefined;
  /** Code or part of the message. */
  readonly error?: string | undefined;
  readonly createdAfter?: Date | undefined;
  readonly createdBefore?: Date | undefined;
  /** How long they took, in ms; one that still runs: until the moment of the query. */
  readonly took?: { readonly over?: number; readonly under?: number; readonly asOf: Date } | undefined;
  /** Only runs of jobs that make it; becomes `jobs` where the deployment is known. */
  readonly asset?: string | undefined;
  /** In id, job, cause, partition, tag value or error; all words, whatever their case. */
  readonly text?: readonly string[] | undefined;
}

/** Lists of one status are in the order of the ends, others in that of the beginnings; as in the ledger. */
export function orderOf(query: RunQuery): 'ended_ms' | 'created_ms' {
  return query.status === undefined ? 'created_ms' : 'ended_ms';
}

const ERROR = `concat_ws(' ', error_code, error_message)`;
const KEYS = 'list_transform(partitions, lambda p: p.key)';
const ANYTHING = `lower(concat_ws(chr(10), id, job, cause, ${ERROR}, array_to_string(${KEYS}, chr(10)), tags))`;

export function whereOf(
  query: RunQuery,
  after: RunPlace | undefined,
): { readonly sql: string; readonly values: DuckDBValue[] } {
  const values: DuckDBValue[] = [];
  const bind = (value: DuckDBValue) => `$${values.push(value)}`;
  const all = ['true'];
  if (query.job !== undefined) all.push(`job = ${bind(query.job)}`);
  if (query.jobs !== undefined) all.push(`job IN (${query.jobs.map(bind).join(', ')})`);
  if (query.status !== undefined) all.push(`status = ${bind(query.status)}`);
  if (query.partition !== undefined) all.push(`list_contains(${KEYS}, ${bind(query.partition)})`);
  if (query.cause !== undefined) all.push(`starts_with(cause, ${bind(query.cause)})`);
  if (query.error !== undefined) all.push(`contains(${ERROR}, ${bind(query.error)})`);
  if (query.createdAfter !== undefined) all.push(`created_ms >= ${bind(String(query.createdAfter.getTime()))}::BIGINT`);
  if (query.createdBefore !== undefined)
    all.push(`created_ms < ${bind(String(query.createdBefore.getTime()))}::BIGINT`);
  const { over, under } = query.took ?? {};
  if (over !== undefined) all.push(`ended_ms - started_ms > ${bind(over)}::DOUBLE`);
  if (under !== undefined) all.push(`ended_ms - started_ms < ${bind(under)}::DOUBLE`);
  for (const [name, value] of Object.entries(query.tags ?? {}))
    all.push(`element_at(tags::JSON::MAP(VARCHAR, VARCHAR), ${bind(name)}) = ${bind(value)}`);
  for (const word of query.text ?? []) all.push(`contains(${ANYTHING}, ${bind(word)})`);
  if (after !== undefined)
    all.push(`(${orderOf(query)}, id) < (${bind(String(after.score))}::BIGINT, ${bind(after.id)})`);
  return { sql: all.join(' AND '), values };
}
