/** `skein jobs`: what can be launched. */

import type { Command } from 'commander';

import type { Json } from '../../definitions/json.ts';
import { WHEN_NONE_IS_NAMED, group, leaf, overServer } from '../help.ts';
import type { JobsPort, ShownJob } from '../ports/jobs.ts';
import type { RunAction, Session } from '../session.ts';
import { pairs, shorten, table } from '../terminal.ts';

export function registerJobs(program: Command, run: RunAction): void {
  const jobs = group(program, 'jobs', 'jobs: list, show', ['skein jobs', 'skein jobs show my_job']);
  leaf(jobs, 'list', 'all jobs', ['skein jobs list --json'], WHEN_NONE_IS_NAMED).action(() => run(list));
  leaf(jobs, 'show <job>', 'one job with its assets and last runs', ['skein jobs show my_job']).action((name: string) =>
    run((session) => show(session, name)),
  );
  jobs.commands.forEach(overServer);
}

async function open(session: Session): Promise<JobsPort> {
  const { openJobs } = await import('../ports/jobs.ts');
  return openJobs(session);
}

async function list(session: Session): Promise<void> {
  const jobs = await (await open(session)).list();
  session.print({ jobs: jobs.map(toJson) }, () =>
    table(
      ['JOB', 'ASSETS', 'ABOUT'],
      jobs.map((job) => [job.name, job.assets.join(', '), shorten(job.description, 80)]),
    ),
  );
}

const LAST_RUNS = 10;

async function show(session: Session, name: string): Promise<void> {
  const job = await (await open(session)).read(name);
  const [{ openRuns }, { runSummaryJson, runTable }] = await Promise.all([
    import('../ports/runs.ts'),
    import('../describe-run.ts'),
  ]);
  const runs = await (await openRuns(session)).list({ job: name, limit: LAST_RUNS });
  session.print({ ...toJson(job), runs: runs.map(runSummaryJson) }, () => [
    ...pairs([
      ['job', job.name],
      ['about', job.description],
      ['assets', job.assets.join(', ')],
      ['priority', String(job.priority)],
      ['at once', job.max_active_runs === null ? 'no limit of its own' : `${job.max_active_runs} runs`],
      ['partition taken', job.on_busy],
    ]),
    '',
    ...runTable(runs),
  ]);
}

function toJson(job: ShownJob): { readonly [field: string]: Json } {
  return {
    name: job.name,
    description: job.description,
    assets: job.assets,
    tags: job.tags,
    priority: job.priority,
    max_active_runs: job.max_active_runs,
    on_busy: job.on_busy,
  };
}
