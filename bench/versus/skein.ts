/** Skein's side: `skein dev` as one would start it, and everything through its HTTP API. */

import { randomBytes } from 'node:crypto';
import path from 'node:path';

import { AT_ONCE, type Contestant, DAYS, TEAMS, dayOf } from './contestant.ts';
import { startGroup, until } from './processes.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const BIN = path.join(ROOT, 'packages/orchestrator/bin/skein.mjs');

interface Run {
  readonly id: string;
  readonly status: string;
  readonly created_at: string;
  readonly ended_at: string | null;
}
interface Tick {
  readonly id: string;
  readonly decision: string;
  readonly duration_ms: number | null;
  readonly requested: number;
}

export async function startSkein(): Promise<Contestant> {
  const { PATH, HOME, SKEIN_REDIS_URL } = process.env;
  const env = {
    ...{ PATH, HOME, SKEIN_REDIS_URL },
    SKEIN_REDIS_PREFIX: `{versus-${randomBytes(4).toString('hex')}}`,
    SKEIN_LOG_LEVEL: 'warn',
  };
  const args = ['-C', 'source', '--import', 'tsx', BIN, 'dev', '--port', '0', '--concurrency', String(AT_ONCE)];
  const group = startGroup(process.execPath, args, import.meta.dirname, env);
  const url = await until(async () => /http:\/\/[\w.:]+/.exec(group.output())?.[0], 'skein dev', 100, group);

  async function ask<T>(method: string, route: string, body?: object): Promise<T> {
    const response = await fetch(`${url}/api/v1${route}`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json', origin: url } }),
    });
    if (!response.ok) throw new TypeError(`${method} ${route}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  let launched = 0;
  return {
    async emptyRun() {
      const partitions = [`${(launched % TEAMS) + 1}_${dayOf(Math.floor(launched++ / TEAMS))}`];
      const { run_id: id } = await ask<{ run_id: string }>('POST', '/launch', { job: 'noop_job', partitions });
      const run = await until(async () => ended(await ask<Run>('GET', `/runs/${id}`)), 'the run', 5);
      return (Date.parse(run.ended_at ?? '') - Date.parse(run.created_at)) / 1_000;
    },
    async backfill(partitions) {
      const days = Math.ceil(partitions / TEAMS);
      const began = performance.now();
      const { id } = await ask<{ id: string }>('POST', '/backfills', {
        ...{ job: 'noop_job', ids: [`1..${Math.min(partitions, TEAMS)}`], max_active: AT_ONCE },
        ...{ from: dayOf(0), to: dayOf(days - 1), reason: 'bench' },
      });
      await until(
        async () => {
          const { status } = await ask<{ status: string }>('GET', `/backfills/${id}`);
          return status === 'COMPLETED' || undefined;
        },
        'the backfill',
        20,
      );
      return (performance.now() - began) / 1_000;
    },
    async fanOut() {
      const before = await ask<{ items: Tick[] }>('GET', '/sensors/fan_out/ticks');
      await ask('POST', '/sensors/fan_out/evaluate', { reason: 'bench' });
      const tick = await until(
        async () => {
          const { items } = await ask<{ items: Tick[] }>('GET', '/sensors/fan_out/ticks');
          const [newest] = items;
          return newest && newest.id !== before.items[0]?.id && newest.duration_ms !== null ? newest : undefined;
        },
        'the tick',
        10,
      );
      if (tick.requested !== TEAMS) throw new TypeError(`the tick asked for ${tick.requested} runs: ${tick.decision}`);
      return (tick.duration_ms ?? 0) / 1_000;
    },
    async fillPartitions() {
      await ask('POST', '/assets/noop/partitions/mark', {
        ...{ as: 'materialized', reason: 'bench' },
        partitions: [`1..${TEAMS}_${dayOf(0)}..${dayOf(DAYS / 2 - 1)}`],
      });
    },
    async partitionStates() {
      const began = performance.now();
      const { items } = await ask<{ items: { id: string }[] }>('GET', `/assets/noop/partitions/rows?limit=${TEAMS}`);
      const { cells } = await ask<{ cells: string }>('POST', '/assets/noop/partitions/tiles', {
        ...{ rows: items.map(({ id }) => id), from: 0, to: DAYS - 1, format: 'base64' },
      });
      const seconds = (performance.now() - began) / 1_000;
      const made = Buffer.from(cells, 'base64').filter((cell) => cell >> 2 === 1).length;
      if (made < (TEAMS * DAYS) / 2) throw new TypeError(`only ${made} partitions are shown as made`);
      return seconds;
    },
    memoryBytes: group.memoryBytes,
    stop: group.stop,
  };
}

function ended(run: Run): Run | undefined {
  if (run.status === 'SUCCESS') return run;
  if (run.ended_at !== null) throw new TypeError(`run ${run.id} ended as ${run.status}`);
  return undefined;
}
