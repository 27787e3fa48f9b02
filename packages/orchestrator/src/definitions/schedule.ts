/** Schedules: a cron expression in a time zone that launches a job, with a policy for times that were missed. */

import { CronExpressionParser } from 'cron-parser';

import { DefinitionInvalidError } from './errors.ts';
import type { Job } from './job.ts';
import type { RunRequest, SensorStatus } from './sensor.ts';

/** `skip`: forget missed times; `latest`: run the last missed one; `all`: run each, oldest first, at most 100. */
export type CatchUp = 'skip' | 'latest' | 'all';

export interface ScheduleSpec {
  readonly name: string;
  readonly description: string;
  readonly job: Job;
  /** Five fields, or six with seconds first, as cron-parser reads them. */
  readonly cron: string;
  /** IANA name; default UTC. */
  readonly timeZone?: string;
  readonly catchUp?: CatchUp;
  readonly defaultStatus?: SensorStatus;
  /** What to launch for the planned time; pure. */
  readonly requests: (at: Date) => readonly RunRequest[];
}

export interface Schedule {
  readonly name: string;
  readonly description: string;
  readonly job: Job;
  readonly cron: string;
  readonly timeZone: string;
  readonly catchUp: CatchUp;
  readonly defaultStatus: SensorStatus;
  readonly requests: (at: Date) => readonly RunRequest[];
}

/** @throws DefinitionInvalidError when the name, the cron expression or the time zone is malformed */
export function defineSchedule(spec: ScheduleSpec): Schedule {
  if (!/^[a-z][a-z0-9_]{0,99}$/.test(spec.name)) {
    throw new DefinitionInvalidError(
      `Schedule name “${spec.name}”: use lower-case letters, digits and underscores, a letter first.`,
    );
  }
  const { cron, timeZone = 'UTC' } = spec;
  try {
    // The zone is looked at when a time is asked for.
    CronExpressionParser.parse(cron, { tz: timeZone }).next();
  } catch (error) {
    throw new DefinitionInvalidError(
      `Schedule “${spec.name}”: “${cron}” in the zone ${timeZone} is no plan: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
  return { timeZone, catchUp: 'latest', defaultStatus: 'STOPPED', ...spec };
}
