/** `skein jobs`: what can be launched. */

import type { Command } from 'commander';

import { lookUp } from '../../definitions/deployment.ts';
import type { Job } from '../../definitions/job.ts';
import type { Json } from '../../definitions/json.ts';
import { WHEN_NONE_IS_NAMED, group, leaf } from '../help.ts';
import type { RunAction, Session } from '../session.ts';
import { pairs, shorten, table } from '../terminal.ts';

export function registerJobs(program: Command, run: RunAction): void {
  const jobs = group(program, 'jobs', 'jobs: list, show', ['skein jobs', 'skein jobs show my_job']);
  leaf(jobs, 'list', 'all jobs', ['skein jobs list --json'], WHEN_NONE_IS_NAMED).action(() => run(list));
  leaf(jobs, 'show <job>', 'one job with its assets and last runs', ['skein jobs show my_job']).action((name: string) =>
    run((session) => show(session, name)),
  );
}

function list(session: Session): Promise<void> {
  const jobs = [...session.deployment.jobs.values()];
  session.print({ jobs: jobs.map(toJson) }, () =>
    table(
      ['JOB', 'ASSETS', 'ABOUT'],
      jobs.map((job) => [job.name, job.assets.map(({ key }) => key).join(', '), shorten(job.description, 80)]),
    ),
  );
  return Promise.resolve();
}

const LAST_RUNS = 10;

async function show(session: Session, name: string): Promise<void> {
  const job = lookUp('job', session.deployment.jobs, name);
  const [{ listRuns }, { runSummaryJson, runTable }] = await Promise.all([
    import('../../engine/reads/runs.ts'),
    import('../describe-run.ts'),
  ]);
  const runs = await listRuns(await session.engine(), { job: name, limit: LAST_RUNS });
  session.print({ ...toJson(job), runs: runs.map(runSummaryJson) }, () => [
    ...pairs([
      ['job', job.name],
      ['about', job.description],
      ['assets', job.assets.map(({ key }) => key).join(', ')],
      ['priority', String(job.priority)],
      ['at once', job.maxActiveRuns === undefined ? 'no limit of its own' : `${job.maxActiveRuns} runs`],
      ['partition taken', job.onBusy],
    ]),
    '',
    ...runTable(runs),
  ]);
}

function toJson(job: Job): { readonly [field: string]: Json } {
  return {
    name: job.name,
    description: job.description,
    assets: job.assets.map(({ key }) => key),
    tags: job.tags,
    priority: job.priority,
    max_active_runs: job.maxActiveRuns ?? null,
    on_busy: job.onBusy,
  };
}
