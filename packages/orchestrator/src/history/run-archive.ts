/**
 * Reads single runs, their events and pages of runs out of Parquet, for those who show them beside the live ones. One
 * DuckDB, opened when the first question comes and kept. Values are bound parameters; only places of files are literals.
 */

import { existsSync } from 'node:fs';
import path from 'node:path';
import { tmpdir } from 'node:os';

import type { DuckDBValue } from '@duckdb/node-api';
import { decodeTime } from 'ulid';

import type { RunDetail, RunEvent, RunSummary } from '../definitions/client.ts';
import type { Engine } from '../engine/engine.ts';
import { type RunQuery, orderOf, whereOf } from './archived-query.ts';
import { type EventRow, type RunRow, RUN_SELECT, toDetail, toEvent, toSummary } from './archived-run.ts';
import { type HistoryDb, literal, openHistoryDb, placeFailed } from './duckdb.ts';
import { isS3, readHistorySettings } from './settings.ts';

/** Where a page goes on: after this run in the order of the list. */
export interface RunPlace {
  readonly score: number;
  readonly id: string;
}

export interface ArchivedRun extends RunPlace {
  readonly run: RunSummary;
}

/** How many runs of a job ended how, and the newest of them. */
export interface ArchivedCount {
  readonly job: string;
  readonly status: string;
  readonly runs: number;
  readonly newestCreatedMs: number;
  readonly newestEndedMs: number;
}

export interface RunArchive {
  read(id: string): Promise<RunDetail | undefined>;
  /** Log lines, or what happened, in order. */
  events(id: string, kind: 'log' | 'event', page: EventPage): Promise<RunEvent[]>;
  countLog(id: string): Promise<number>;
  page(query: RunQuery, after: RunPlace | undefined, limit: number): Promise<ArchivedRun[]>;
  /** As it was when runs were last taken out of the ledger, and within the last minute. */
  counts(): Promise<readonly ArchivedCount[]>;
  close(): Promise<void>;
}

interface EventPage {
  readonly after?: string | undefined;
  readonly before?: string | undefined;
  readonly limit: number;
  /** The last ones instead. */
  readonly last?: boolean;
}

interface Counted {
  /** How many runs had been taken out of the ledger. */
  readonly taken: string;
  readonly at: number;
  readonly counts: Promise<readonly ArchivedCount[]>;
}

/** Whoever archives says so in the ledger; this is for files that came or went otherwise. */
const COUNTS_FOR_MS = 60_000;
/** A run that took longer than this is looked for in every file. */
const USUAL_DAYS = 8;
const DAY_MS = 86_400_000;

/** Later than any number within one millisecond. */
const LAST = 9_000_000_000_000_000_000n;
const PER_MS = 10_000_000_000_000_000_000n;
/** As one number; what marks an end or a cut has a word in place of the second part, and comes last. */
const EVENT_PLACE = `(try_cast(split_part(e.id, '-', 1) AS HUGEINT) * ${PER_MS} +
  coalesce(try_cast(split_part(e.id, '-', 2) AS HUGEINT), ${LAST}))`;

function eventPlace(id: string): string {
  const [, ms = '0', number = ''] = /^(\d+)-?(.*)$/.exec(id) ?? [];
  const within = /^\d*$/.test(number) ? BigInt(number) : LAST;
  return String(BigInt(ms) * PER_MS + (within < LAST ? within : LAST));
}

export function openRunArchive(engine: Engine): RunArchive {
  const settings = readHistorySettings(engine.env);
  const files = `${settings.root}/runs/*/*.parquet`;
  let db: Promise<HistoryDb> | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  let counted: Counted | undefined;

  /** One after the other: a question of one page must not take the memory of all others. */
  const ask = <T>(sql: string, values: readonly DuckDBValue[] = []): Promise<T[]> => {
    const answer = turn.then(async () => {
      // Where nothing was ever archived, DuckDB is not even loaded.
      if (!isS3(settings.root) && !existsSync(path.join(settings.root, 'runs'))) return [];
      db ??= openHistoryDb(settings, path.join(tmpdir(), `skein-archive-${process.pid}`));
      try {
        const reader = await (await db).raw.runAndReadAll(sql, [...values]);
        return reader.getRowObjectsJson() as T[];
      } catch (error) {
        if (/IO Error: No files found/.test(String(error))) return [];
        throw placeFailed('History cannot be read from', settings.root, error);
      }
    });
    turn = answer.catch(() => undefined);
    return answer;
  };
  const source = (from = literal(files)) =>
    `read_parquet(${from}, union_by_name = true, filename = true, hive_partitioning = true, hive_types = {'day': DATE})`;

  /** The file's name says the day of its runs' end; an id says when the run began. */
  const find = async (id: string): Promise<string | undefined> => {
    const days = daysOf(id);
    const near =
      days === undefined
        ? []
        : await ask<{ filename: string }>(
            `SELECT filename FROM ${source()} WHERE day BETWEEN $1::DATE AND $2::DATE AND id = $3 LIMIT 1`,
            [...days, id],
          );
    const [found] =
      near.length > 0
        ? near
        : await ask<{ filename: string }>(`SELECT filename FROM ${source()} WHERE id = $1 LIMIT 1`, [id]);
    return found?.filename;
  };

  return {
    async read(id) {
      const file = await find(id);
      if (file === undefined) return undefined;
      const [row] = await ask<RunRow>(
        `SELECT ${RUN_SELECT}, partitions FROM ${source(literal(file))} WHERE id = $1 LIMIT 1`,
        [id],
      );
      return row && toDetail(row);
    },
    async events(id, kind, { after, before, limit, last = false }) {
      const file = await find(id);
      if (file === undefined) return [];
      const rows = await ask<EventRow>(
        `SELECT e.*, place FROM (
           SELECT unnest(events) AS e, generate_subscripts(events, 1) AS place FROM ${source(literal(file))} WHERE id = $1
         ) WHERE (e.type = 'log') = $2 AND ${EVENT_PLACE} > $3::HUGEINT
         AND ${EVENT_PLACE} < $4::HUGEINT ORDER BY place ${last ? 'DESC' : ''} LIMIT $5`,
        [id, kind === 'log', after === undefined ? '-1' : eventPlace(after), eventPlace(before ?? String(LAST)), limit],
      );
      return (last ? rows.reverse() : rows).map(toEvent);
    },
    async countLog(id) {
      const file = await find(id);
      if (file === undefined) return 0;
      const [row] = await ask<{ lines: string }>(
        `SELECT len(list_filter(events, lambda e: e.type = 'log')) AS lines FROM ${source(literal(file))} WHERE id = $1`,
        [id],
      );
      return Number(row?.lines ?? 0);
    },
    async page(query, after, limit) {
      const order = orderOf(query);
      const { sql, values } = whereOf(query, after);
      // Narrow columns first; whole rows only of those that are shown.
      const places = await ask<{ id: string; filename: string; score: string }>(
        `SELECT id, min(filename) AS filename, ${order} AS score FROM ${source()} WHERE ${sql}
         GROUP BY id, ${order} ORDER BY ${order} DESC, id DESC LIMIT ${Math.trunc(limit)}`,
        values,
      );
      if (places.length === 0) return [];
      const from = [...new Set(places.map(({ filename }) => literal(filename)))].join(', ');
      const ids = places.map((_, i) => `$${i + 1}`).join(', ');
      const rows = await ask<RunRow>(
        `SELECT ${RUN_SELECT}, partitions[1:1] AS partitions FROM ${source(`[${from}]`)} WHERE id IN (${ids})`,
        places.map(({ id }) => id),
      );
      const byId = new Map(rows.map((row) => [row.id, row]));
      return places.flatMap(({ id, score }) => {
        const row = byId.get(id);
        return row === undefined ? [] : [{ id, score: Number(score), run: toSummary(row) }];
      });
    },
    async counts() {
      const taken = (await engine.redis.hget(engine.keys.meta, 'archived')) ?? '';
      if (counted?.taken === taken && performance.now() - counted.at < COUNTS_FOR_MS) return counted.counts;
      const counts = ask<{ job: string; status: string; runs: string; created: string; ended: string }>(
        `SELECT job, status, count(DISTINCT id) AS runs, max(created_ms) AS created, max(ended_ms) AS ended
         FROM ${source()} GROUP BY ALL`,
      ).then((rows) =>
        rows.map(({ job, status, runs, created, ended }) => ({
          job,
          status,
          runs: Number(runs),
          newestCreatedMs: Number(created),
          newestEndedMs: Number(ended),
        })),
      );
      counted = { taken, at: performance.now(), counts };
      counts.catch(() => (counted = undefined));
      return counts;
    },
    async close() {
      await turn;
      (await db?.catch(() => undefined))?.close();
    },
  };
}

/** Days on which a run may have ended, as its id's time says; undefined for an id of another make. */
function daysOf(id: string): [string, string] | undefined {
  try {
    const began = decodeTime(id);
    const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
    return [day(began - DAY_MS), day(began + USUAL_DAYS * DAY_MS)];
  } catch {
    return undefined;
  }
}
