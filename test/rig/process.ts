/**
 * One process of the system under attack: a worker, or a server with its API and pulse. The same code that `skein
 * worker` and `skein server` contain, over the workload; started, killed, stopped and skewed by the rig.
 */

import type { Logger } from '@skein/orchestrator';

import { startServer } from '../../packages/orchestrator/src/api/server.ts';
import { openEngine } from '../../packages/orchestrator/src/engine/engine.ts';
import { startWorker } from '../../packages/orchestrator/src/worker/worker.ts';
import { skewClock } from './clock.ts';
import { detour } from './detour.ts';
import { answerGauges } from './gauges.ts';
import { connectHistory } from './history.ts';
import { loadSinks } from './sinks.ts';
import { WorkloadSize, createWorkload } from './workload.ts';

const say = (level: string) => (message: string, fields?: object) =>
  void process.stderr.write(`${JSON.stringify({ level, message, ...fields })}\n`);
const LOG: Logger = { debug() {}, info() {}, warn: say('warn'), error: say('error') };

async function main(role: string): Promise<void> {
  const { env } = process;
  skewClock(Number(env.RIG_SKEW_MS ?? 0));
  detour(JSON.parse(env.RIG_DETOURS ?? '{}') as Record<number, number>);
  answerGauges();
  const size = WorkloadSize.parse(JSON.parse(env.RIG_WORKLOAD ?? '{}'));
  const engine = await openEngine(createWorkload(size, connectHistory(Number(env.RIG_HISTORY_PORT))), { env });
  if (role === 'server') {
    const server = await startServer(engine, { log: LOG, port: 0 });
    process.stdout.write(`ready ${server.url}\n`);
    process.once(
      'SIGTERM',
      () =>
        void server
          .close()
          .then(() => engine.close())
          .then(() => process.exit(0)),
    );
    return;
  }
  // Loading them in the middle of a deed would block the loop for as long as a lease on a busy machine.
  await loadSinks(size.sinks);
  const worker = await startWorker(engine, { log: LOG, concurrency: Number(env.RIG_CONCURRENCY ?? 5) });
  process.stdout.write('ready\n');
  process.stdin.on('data', (line: Buffer) => {
    const [what, value] = line.toString().trim().split(' ');
    if (what === 'skew') skewClock(Number(value));
    if (what === 'fenced')
      void worker.metrics.fencedCommits.get().then(({ values }) => {
        process.stdout.write(`fenced ${values[0]?.value ?? 0}\n`);
      });
  });
  process.once(
    'SIGTERM',
    () =>
      void worker
        .stop(Number(env.RIG_GRACE_MS ?? 20_000))
        .then(() => engine.close())
        .then(() => process.exit(0)),
  );
}

// The rig is gone: so are we.
process.stdin.on('end', () => process.exit(1)).resume();
main(process.argv[2] ?? 'worker').catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
