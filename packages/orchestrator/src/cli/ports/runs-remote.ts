/** Runs of a Skein over HTTP: page after page of what the API answers, in the shapes that the engine has. */

import { z } from 'zod';

import type { RunDetail, RunEvent } from '../../definitions/client.ts';
import { ServiceError } from '../../definitions/errors.ts';
import type { Json, JsonObject } from '../../definitions/json.ts';
import { formatPlace } from '../../api/reads/run-list.ts';
import {
  LogPage,
  type Run,
  RunCancelled,
  RunEventPage,
  RunLaunched,
  RunPage,
  type RunPartition,
  RunPartitionPage,
  RunRetried,
  RunWithPartitions,
} from '../../api/routes/run-schemas.ts';
import { orderOf } from '../../history/archived-query.ts';
import type { RemoteServer } from '../remote/server.ts';
import type { ListedRun, RunFilter, RunsPort } from './runs.ts';

/** The API's. */
const PAGE = 500;
const LOOK_EVERY_MS = 500;
/** A server that is being replaced is waited for. */
const AWAY_AT_MOST_MS = 60_000;

export function remoteRuns(server: RemoteServer): RunsPort {
  const path = (id: string, rest = '') => `/runs/${encodeURIComponent(id)}${rest}`;
  const readFirst = (id: string) => server.ask('GET', path(id), RunWithPartitions);

  const read = async (id: string): Promise<RunDetail> => {
    const run = await readFirst(id);
    const partitions = [...run.partitions];
    while (partitions.length < run.partitions_total) {
      const query = { limit: PAGE, after: partitions.length };
      const { items } = await server.ask('GET', path(id, '/partitions'), RunPartitionPage, { query });
      if (items.length === 0) break;
      partitions.push(...items);
    }
    const result = run.result === null ? undefined : (run.result as RunDetail['result']);
    return {
      ...toSummary(run),
      config: run.config as JsonObject,
      worker: run.worker ?? undefined,
      codeVersion: run.code_version ?? undefined,
      partitions: partitions.map(toPartition),
      result,
    };
  };
  const eventsAfter = async (id: string, after: string | undefined): Promise<RunEvent[]> => {
    const { items } = await server.ask('GET', path(id, '/events'), RunEventPage, { query: { limit: PAGE, after } });
    return items.map(({ at, fields, ...event }) => ({ ...event, at: new Date(at), fields: fields as JsonObject }));
  };
  const logAfter = async (id: string, after: string | undefined): Promise<RunEvent[]> => {
    const { items } = await server.ask('GET', path(id, '/log'), LogPage, { query: { limit: PAGE, after } });
    return items.map(toLine);
  };

  return {
    async launch({ job, partitions, config, tags, priority, runKey, dryRun }) {
      const body = { job, partitions, config, tags, priority, run_key: runKey, dry_run: dryRun };
      const { run_id: runId, is_new: isNew } = await server.ask('POST', '/launch', RunLaunched, { body });
      return { runId, isNew };
    },
    read,
    glance: async (id) => toSummary(await readFirst(id)),
    list: (filter) => list(server, filter, read),
    async tail(id, limit) {
      if (limit <= PAGE) {
        const { items } = await server.ask('GET', path(id, '/log'), LogPage, { query: { tail: limit } });
        return items.map(toLine);
      }
      const lines: RunEvent[] = [];
      for (;;) {
        const more = await logAfter(id, lines.at(-1)?.id);
        lines.push(...more);
        if (more.length < PAGE) return lines.slice(-limit);
      }
    },
    async follow(id, onEvent) {
      let [lastEvent, lastLine]: (string | undefined)[] = [];
      let ended: RunEvent | undefined;
      for (;;) {
        const events: RunEvent[] = ended ? [] : await patiently(() => eventsAfter(id, lastEvent));
        lastEvent = events.at(-1)?.id ?? lastEvent;
        ended ??= events.find(({ type }) => type === 'run.ended');
        // Read after the end was seen, these are all that there will ever be.
        const lines = await patiently(() => logAfter(id, lastLine));
        lastLine = lines.at(-1)?.id ?? lastLine;
        const both = [...events.filter(({ type }) => type !== 'run.ended'), ...lines];
        for (const event of both.sort((a, b) => a.at.getTime() - b.at.getTime())) onEvent(event);
        if (lines.length === PAGE) continue;
        if (ended) return onEvent(ended);
        if (events.length < PAGE) await pause();
      }
    },
    async cancel(id) {
      return (await server.ask('POST', path(id, '/cancel'), RunCancelled, { body: {} })).status;
    },
    async retry(id, scope) {
      const body = { only_failed: scope === 'failed', from_failure: scope === 'from_failure' };
      const { run_id: runId, carried } = await server.ask('POST', path(id, '/retry'), RunRetried, { body });
      const { partitions } = await read(runId);
      return { runId, partitions: [...new Set(partitions.map(({ key }) => key))], carried };
    },
    work: () => Promise.resolve({ stop: () => Promise.resolve() }),
  };
}

async function list(
  server: RemoteServer,
  filter: RunFilter,
  read: (id: string) => Promise<RunDetail>,
): Promise<ListedRun[]> {
  const { job, status, before, limit } = filter;
  // An unknown job has no runs; that it is unknown is worth more.
  if (job !== undefined) await server.ask('GET', `/jobs/${encodeURIComponent(job)}`, z.unknown());
  const last = before === undefined ? undefined : await read(before);
  const at = last && orderOf(filter) === 'ended_ms' ? (last.endedAt ?? last.createdAt) : last?.createdAt;
  let after = (last && at && formatPlace({ id: last.id, score: String(at.getTime()) })) ?? undefined;
  const found: ListedRun[] = [];
  while (found.length < limit) {
    const query = { job, status: status?.toLowerCase(), after, limit: Math.min(PAGE, limit - found.length) };
    const page = await server.ask('GET', '/runs', RunPage, { query });
    found.push(...page.items.map(toSummary));
    if (page.next === null) break;
    after = page.next;
  }
  return found;
}

async function patiently<T>(work: () => Promise<T>): Promise<T> {
  const ends = performance.now() + AWAY_AT_MOST_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ServiceError) || !error.retryable || performance.now() > ends) throw error;
      await pause();
    }
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
}

function toSummary(run: z.output<typeof Run>): ListedRun {
  const { first_partition: firstPartition, end_reason: endReason, error, blocked, progress, ...rest } = run;
  const at = (text: string | null) => (text === null ? undefined : new Date(text));
  return {
    id: rest.id,
    job: rest.job,
    status: rest.status,
    tags: rest.tags,
    cause: rest.cause,
    priority: rest.priority,
    firstPartition: firstPartition ?? undefined,
    createdAt: new Date(rest.created_at),
    startedAt: at(rest.started_at),
    endedAt: at(rest.ended_at),
    endReason: endReason ?? undefined,
    error: error ?? undefined,
    blocked: blocked ?? undefined,
    progress: progress ?? undefined,
    counts: rest.counts,
  };
}

function toPartition(one: z.output<typeof RunPartition>): RunDetail['partitions'][number] {
  const { from_run: fromRun, metadata, ...rest } = one;
  return { ...rest, metadata: metadata as RunDetail['partitions'][number]['metadata'], fromRun: fromRun ?? undefined };
}

function toLine({ id, at, ...fields }: z.output<typeof LogPage>['items'][number]): RunEvent {
  return { id, type: 'log', at: new Date(at), fields: fields as { readonly [name: string]: Json } };
}
