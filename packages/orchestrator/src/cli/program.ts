/** All commands: ours, one file each, and those that the deployment's job families bring. Registering opens nothing. */

import { readFileSync } from 'node:fs';

import { Command } from 'commander';

import type { Deployment } from '../definitions/deployment.ts';
import { registerAssets } from './commands/assets.ts';
import { registerBackfill } from './commands/backfill.ts';
import { registerBackfills } from './commands/backfills.ts';
import { registerBackup } from './commands/backup.ts';
import { registerCheck } from './commands/check.ts';
import { registerDev } from './commands/dev.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerJobs } from './commands/jobs.ts';
import { registerPartitions } from './commands/partitions.ts';
import { registerPools } from './commands/pools.ts';
import { registerRestore } from './commands/restore.ts';
import { registerRun } from './commands/run.ts';
import { registerRuns } from './commands/runs.ts';
import { registerSchedules } from './commands/schedules.ts';
import { registerSensors } from './commands/sensors.ts';
import { registerServer } from './commands/server.ts';
import { registerSql } from './commands/sql.ts';
import { registerWorker } from './commands/worker.ts';
import { completeFamily, withExamples } from './help.ts';
import type { RunAction } from './session.ts';

const OURS = [
  registerDev,
  registerServer,
  registerWorker,
  registerCheck,
  registerRun,
  registerRuns,
  registerBackfill,
  registerBackfills,
  registerSensors,
  registerPartitions,
  registerAssets,
  registerJobs,
  registerSchedules,
  registerPools,
  registerDoctor,
  registerSql,
  registerBackup,
  registerRestore,
];

export function buildProgram(run: RunAction, deployment: Deployment | undefined): Command {
  const program = new Command('skein')
    .description('The same job, for every tenant, for every day, exactly once, visibly, and re-doable.')
    .version(version(), '--version')
    .exitOverride()
    .enablePositionalOptions()
    // One place reports errors, so that every one has a code and, with --json, is one JSON object.
    .configureOutput({ outputError: () => {} })
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      '\nEvery command takes --help, --json (one JSON object on stdout) and --allow-unsafe-redis (for experiments).' +
        '\nExit codes: 0 done, 1 the work failed, 2 the request was wrong, 3 a service cannot be reached, 130 interrupted.',
    );
  withExamples(program, [
    'skein services up',
    'skein dev',
    'skein run my_job --partition 7_2026-01-31 --wait',
    'skein sensors list',
    'skein doctor',
  ]);
  for (const register of OURS) register(program, run);
  for (const family of deployment?.commands ?? []) {
    const before = new Set(program.commands);
    family.register(program, run);
    for (const command of program.commands) if (!before.has(command)) completeFamily(command);
  }
  return program;
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
