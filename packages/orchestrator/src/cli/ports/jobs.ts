/** What the commands about jobs ask of a Skein: of its definitions, or of a server over HTTP. */

import type { z } from 'zod';

import type { JobItem } from '../../api/routes/assets.ts';
import { lookUp } from '../../definitions/deployment.ts';
import type { Job } from '../../definitions/job.ts';
import type { Session } from '../session.ts';

/** What can be told without asking the ledger. */
export type ShownJob = Omit<z.input<typeof JobItem>, 'sensors' | 'schedules' | 'runs'>;

export interface JobsPort {
  list(): Promise<readonly ShownJob[]>;
  /** @throws NotFoundError */
  read(name: string): Promise<ShownJob>;
}

export async function openJobs(session: Session): Promise<JobsPort> {
  const { server } = session;
  if (server) {
    const [{ JobItem }, { askAll }] = await Promise.all([
      import('../../api/routes/assets.ts'),
      import('../remote/server.ts'),
    ]);
    return {
      list: () => askAll(server, '/jobs', JobItem),
      read: (name) => server.ask('GET', `/jobs/${encodeURIComponent(name)}`, JobItem),
    };
  }
  const { jobs } = session.deployment;
  return {
    list: () => Promise.resolve([...jobs.values()].map(toShown)),
    read: (name) => Promise.resolve(toShown(lookUp('job', jobs, name))),
  };
}

function toShown(job: Job): ShownJob {
  return {
    name: job.name,
    description: job.description,
    assets: job.assets.map(({ key }) => key),
    tags: { ...job.tags },
    priority: job.priority,
    max_active_runs: job.maxActiveRuns ?? null,
    on_busy: job.onBusy,
  };
}
