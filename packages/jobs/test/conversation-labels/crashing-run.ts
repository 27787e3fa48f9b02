/**
 * A run of the asset in a process of its own that kills itself with SIGKILL at a given point, its checkpoints kept in a
 * file as the ledger would keep them. Started by `resume.test.ts` with its plan as JSON in `argv`.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';

import { type ClickHouse, createPool, labelConversations, openClickHouse } from '@skein/jobs';
import type { Json, JsonObject } from '@skein/orchestrator';
import { runAsset } from '@skein/orchestrator/testing';

import { isDelete, tamper } from './tampering.ts';

export interface CrashPlan {
  readonly clickhouse: string;
  readonly postgres: string;
  readonly point: CrashPoint;
  readonly runId: string;
  readonly partitions: readonly string[];
  readonly config: JsonObject;
  readonly checkpoints: string;
}

export type CrashPoint =
  | 'recording'
  | 'before-delete'
  | 'deleting'
  | 'deleted'
  | 'half-inserted'
  | 'inserted'
  | 'copying'
  | 'replacing'
  | 'verifying';

/** A map that is on disk before `set` returns. */
export function fileCheckpoints(file: string): Map<string, Json> {
  const saved = new Map<string, Json>(read(file));
  const set = saved.set.bind(saved);
  saved.set = (key, value) => {
    set(key, value);
    writeFileSync(file, JSON.stringify([...saved]));
    return saved;
  };
  return saved;
}

function read(file: string): [string, Json][] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as [string, Json][];
  } catch {
    return [];
  }
}

const die = (): Promise<never> => {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => {});
};

/** A client whose process is killed at the point. */
export function crashingAt(point: CrashPoint, real: ClickHouse): ClickHouse {
  let inserts = 0;
  const isTarget = (table: string) => /conversation_with_labels`$|skein_label_staging_/.test(table);
  const crashing = tamper(real, {
    command: async (sql, pass) => {
      if (point === 'before-delete' && isDelete(sql)) return die();
      if (point === 'recording' && /INSERT INTO .*skein_label_affected/s.test(sql)) return die();
      if (point === 'verifying' && /CREATE TABLE .*skein_label_expected/s.test(sql)) return die();
      const done = await pass(sql);
      if (point === 'deleting' && isDelete(sql)) return die();
      if (point === 'copying' && /INSERT INTO .*skein_label_staging_.*SELECT/s.test(sql)) return die();
      if (point === 'replacing' && sql.includes('REPLACE PARTITION')) return die();
      return done;
    },
  });
  return {
    ...crashing,
    async insert(table, values, options) {
      // The second day of the run, so that one day is done and one is not begun.
      if (!isTarget(table) || ++inserts < 2) return real.insert(table, values, options);
      if (point === 'deleted') return die();
      if (point === 'half-inserted') {
        const lines = (await textOf(values as Readable)).split(/(?<=\n)/);
        await real.insert(
          table,
          Readable.from([Buffer.from(lines.slice(0, lines.length / 2).join(''))], { objectMode: false }),
          options,
        );
        return die();
      }
      await real.insert(table, values, options);
      if (point === 'inserted') return die();
    },
  };
}

async function main(plan: CrashPlan): Promise<void> {
  const clickhouse = crashingAt(plan.point, openClickHouse(plan.clickhouse));
  await runAsset(labelConversations, {
    partitions: plan.partitions,
    config: plan.config,
    runId: plan.runId,
    now: new Date('2026-03-01T00:00:00Z'),
    checkpoints: fileCheckpoints(plan.checkpoints),
    resources: { clickhouse, appDb: createPool(plan.postgres) },
  });
  process.exit(0);
}

async function textOf(stream: Readable): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

const [, , text] = process.argv;
if (text?.startsWith('{')) void main(JSON.parse(text) as CrashPlan);
