/**
 * `skein reconciliation-results`: which teams succeeded and failed in past reconciliation runs, by the latest result of
 * each team, and the failed ones as CSV for a second pass. Teams whose task died are failed partitions like any other.
 */

import { writeFile } from 'node:fs/promises';

import {
  type CommandContext,
  type CommandFamily,
  ConfigInvalidError,
  type Json,
  type RunStatus,
  type SkeinClient,
} from '@skein/orchestrator';
import { InvalidArgumentError, Option } from 'commander';

import { RECONCILIATION_JOB } from './asset.ts';
import {
  type RunOutcomes,
  type TeamOutcome,
  latestByTeam,
  outcomesOf,
  reportLines,
  toCsv,
  totalsOf,
} from './results.ts';

interface Options {
  readonly since?: Date;
  readonly until?: Date;
  readonly status?: RunStatus[];
  readonly runId?: string;
  readonly limit: number;
  readonly all?: boolean;
  readonly verbose?: boolean;
  readonly outputCsv?: string;
}

const STATUSES: readonly RunStatus[] = ['QUEUED', 'STARTING', 'STARTED', 'SUCCESS', 'FAILURE', 'CANCELING', 'CANCELED'];
/** More runs than the ledger keeps. */
const ALL = 100_000;

const EXAMPLES = `
Examples:
  skein reconciliation-results --since 2026-01-27 --until 2026-01-30 --verbose --output-csv failed_teams.csv
  skein reconciliation-results --run-id 01KCW3M6Q0Z3V8J5B2N7R4T9XD --json`;

export const reconciliationResultsCommand: CommandFamily = {
  register(program, run) {
    const command = program
      .command('reconciliation-results')
      .description('Teams that succeeded and failed in reconciliation runs; exit code 1 when a team failed')
      .option(
        '--since <time>',
        'runs that were at work at or after it: YYYY-MM-DD or "YYYY-MM-DD HH:MM:SS", local time',
        (text) => parseTime(text, '00:00:00'),
      )
      .option('--until <time>', 'runs created up to it; a day alone means its end', (text) =>
        parseTime(text, '23:59:59'),
      )
      .addOption(new Option('--status <status...>', 'only runs in these states').argParser(collectStatus))
      .option('--run-id <id>', 'only this run')
      .option('--limit <n>', 'the newest n runs', parseLimit, 100)
      .option('--all', 'without a limit')
      .option('-v, --verbose', 'each run and each failure')
      .option('--output-csv <file>', 'write the failed teams, if any, as CSV')
      .option('--json', 'the result as one JSON document')
      .addHelpText('after', EXAMPLES);
    command.action(() => run((context) => showResults(context, command.opts<Options & object>())));
  },
};

async function showResults(context: CommandContext, options: Options): Promise<void> {
  const client = await context.client();
  const runs: RunOutcomes[] = [];
  for (const id of await runIds(client, options)) {
    try {
      runs.push(outcomesOf(await client.run(id)));
    } catch (error) {
      if (options.runId !== undefined) throw error;
      context.note(
        `Run ${id} could not be read and is left out: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  const teams = latestByTeam(runs);
  const failed = teams.filter((team) => team.status === 'failed');
  if (options.outputCsv !== undefined && failed.length > 0) {
    await writeFile(options.outputCsv, toCsv(failed));
    context.note(`Wrote ${failed.length} failed ${failed.length === 1 ? 'team' : 'teams'} to ${options.outputCsv}`);
  }
  context.print({ ...totalsOf(runs, teams), failed_teams: failed.map(asJson) }, () =>
    reportLines(runs, teams, options.verbose === true),
  );
  context.exitWith(failed.length > 0 ? 1 : 0);
}

/** Newest first. */
async function runIds(client: SkeinClient, options: Options): Promise<string[]> {
  if (options.runId !== undefined) {
    const found = await client.run(options.runId);
    if (found.job !== RECONCILIATION_JOB)
      throw new ConfigInvalidError(
        `--run-id: the run ${options.runId} is one of ${found.job}, not of ${RECONCILIATION_JOB}.`,
      );
    return [found.id];
  }
  const limit = options.all === true ? ALL : options.limit;
  const found = await client.runs({ job: RECONCILIATION_JOB, limit: ALL });
  return found
    .filter((run) => options.status === undefined || options.status.includes(run.status))
    .filter((run) => options.until === undefined || run.createdAt <= options.until)
    .filter((run) => options.since === undefined || (run.endedAt ?? new Date()) >= options.since)
    .sort((a, b) => (b.startedAt?.getTime() ?? 0) - (a.startedAt?.getTime() ?? 0))
    .slice(0, limit)
    .map((run) => run.id);
}

function asJson(team: TeamOutcome): { [key: string]: Json } {
  return { ...team };
}

function parseTime(text: string, timeOfDay: string): Date {
  const full = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text} ${timeOfDay}` : text;
  const date = new Date(full.replace(' ', 'T'));
  if (!/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/.test(full) || Number.isNaN(date.getTime())) {
    throw new InvalidArgumentError('write YYYY-MM-DD or "YYYY-MM-DD HH:MM:SS".');
  }
  return date;
}

function collectStatus(text: string, before: RunStatus[] | undefined): RunStatus[] {
  const wanted = text.toUpperCase() === 'FAILED' ? 'FAILURE' : text.toUpperCase();
  const status = STATUSES.find((known) => known === wanted);
  if (!status) throw new InvalidArgumentError(`it is one of ${STATUSES.join(', ')}.`);
  return [...(before ?? []), status];
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1) throw new InvalidArgumentError('it is a whole number from 1.');
  return limit;
}
