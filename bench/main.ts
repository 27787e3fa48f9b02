/** `npm run bench -- NAME [--scale N] [--rounds N] [--json]`: ours and the comparison in one run; medians and the ratio. */

import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';

import { readServicesEnv, removeServicesDirectory, startServices } from '@skein/embedded';

import type { Bench, BenchRow } from './bench.ts';

/** Loaded by name, so that one bench does not pay for another's imports. */
const BENCHES: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<{ bench: Bench }> }>> =
  {
    engine: { summary: 'empty runs through the whole way beside raw BullMQ jobs', load: () => import('./engine.ts') },
    duckling: {
      summary: 'export and registration of a day beside the bare statements',
      load: () => import('./duckling.ts'),
    },
    'orphan-sync': {
      summary: 'discovery and publishing beside the bare query and client',
      load: () => import('./orphan-sync.ts'),
    },
    reconciliation: {
      summary: 'set-based repair beside one person at a time and a bare UPDATE',
      load: () => import('./reconciliation.ts'),
    },
    'raw-events': {
      summary: 'the transformer, and the whole path beside read-only and publish-only',
      load: () => import('./raw-events.ts'),
    },
    labels: {
      summary: 'relabelling 1.5 million conversations beside the bare statements',
      load: () => import('./labels.ts'),
    },
    fleet: {
      summary: 'what a worker and a run cost Redis: how many of them one Redis carries',
      load: () => import('./fleet.ts'),
    },
    scale: {
      summary: '10,000 sensors, a million runs and partitions, a hundred million states: growth from 1 to 100 times',
      load: () => import('./scale.ts'),
    },
    dashboard: {
      summary:
        'the dashboard’s budgets: first load when all is slow, a map of a million cells, a log of a million lines',
      load: () => import('./dashboard.ts'),
    },
    versus: {
      summary: 'Skein beside Dagster: empty runs, a backfill, a sensor’s fan-out, partition states',
      load: () => import('./versus.ts'),
    },
  };

/** As of every command that a signal has ended. */
const INTERRUPTED = 130;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      scale: { type: 'string' },
      rounds: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const name = positionals[0];
  if (name === undefined || values.help) {
    for (const [known, { summary }] of Object.entries(BENCHES)) process.stdout.write(`${known.padEnd(16)}${summary}\n`);
    return 0;
  }
  const entry = BENCHES[name];
  if (!entry) {
    process.stderr.write(`No bench is named “${name}”. Known: ${Object.keys(BENCHES).join(', ')}.\n`);
    return 2;
  }
  const dir = `.skein/bench-${process.pid}`;
  const starting = startServices({ dir });
  // They are processes of their own, and would outlive this one.
  const stop = async () => {
    await (await starting).stop();
    removeServicesDirectory(dir);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stop().finally(() => process.exit(INTERRUPTED)));
  }
  const services = await starting;
  try {
    Object.assign(process.env, services.env, readServicesEnv(dir));
    const { bench } = await entry.load();
    const rows = await bench.run({
      scale: Number(values.scale ?? 1),
      rounds: Number(values.rounds ?? 3),
      note: (line) => process.stderr.write(`${line}\n`),
    });
    print(name, rows, values.json);
    return 0;
  } finally {
    await stop();
  }
}

function print(name: string, rows: readonly BenchRow[], json: boolean): void {
  if (json) {
    const machine = {
      cpus: cpus().length,
      model: cpus()[0]?.model ?? '',
      memory_gb: Math.round(totalmem() / 2 ** 30),
      node: process.version,
      commit: commit(),
    };
    process.stdout.write(`${JSON.stringify({ bench: name, machine, rows })}\n`);
    return;
  }
  for (const r of rows) {
    const verdict = r.met === null ? '' : r.met ? `  target ${r.target}: met` : `  target ${r.target}: NOT met`;
    process.stdout.write(
      `${r.work}\n  ours ${format(r.ours)} ${r.unit}   ${r.other_is} ${format(r.other)} ${r.unit}   ratio ${r.ratio.toFixed(2)}   (median of ${r.rounds})${verdict}\n`,
    );
  }
}

function format(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3);
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(3);
  },
);
