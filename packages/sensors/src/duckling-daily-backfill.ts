/**
 * `duckling_events_daily_backfill_sensor` and `duckling_persons_daily_backfill_sensor`: every hour, yesterday (UTC) of
 * each enabled duckling. They own yesterday; every day before it is the full sensors'.
 */

import {
  DATASETS,
  type DatasetName,
  ducklingEventsBackfillJob,
  ducklingPersonsBackfillJob,
  ducklings,
  lastCompleteDay,
  teamDays,
} from '@skein/jobs';
import { type Job, type RunRequest, defineSensor, request, skip } from '@skein/orchestrator';
import { z } from 'zod';

import { type LaunchDecision, decideLaunch } from './duckling-launch-policy.ts';

export const DailyBackfillCursor = z.object({
  day: z.string().default('').describe('The UTC day that was looked at last.'),
  position: z.string().default('not started').describe('For people: where it is.'),
});

/** Of one tick; the hour's next tick takes the rest. */
const MAX_REQUESTS = 1_000;

export const ducklingEventsDailyBackfillSensor = dailySensor('events', ducklingEventsBackfillJob);
export const ducklingPersonsDailyBackfillSensor = dailySensor('persons', ducklingPersonsBackfillJob);

function dailySensor(dataset: DatasetName, job: Job) {
  return defineSensor({
    name: `duckling_${dataset}_daily_backfill_sensor`,
    description: `Every hour: yesterday’s ${DATASETS[dataset].name} of each enabled duckling; what failed is tried again.`,
    job,
    every: '1h',
    cursor: DailyBackfillCursor,
    resources: { ducklings },
    async evaluate({ now, partitions, resources }) {
      const day = lastCompleteDay(now);
      const rows = await resources.ducklings.catalog.list({ enabledOnly: true });
      const keys = rows.map((row) => teamDays.format({ id: row.team_id, day }));
      const states = await partitions.status(keys);
      const lastRuns = await partitions.lastRuns(keys);
      const counts: Record<LaunchDecision, number> = { launch: 0, active: 0, wait: 0, done: 0, given_up: 0 };
      const requests: RunRequest[] = [];
      for (const key of keys) {
        const decision = decideLaunch(states.get(key), lastRuns.get(key), now);
        counts[decision]++;
        if (decision === 'launch' && requests.length < MAX_REQUESTS) {
          requests.push({ partitions: [key], tags: { duckling_backfill_type: 'daily' }, priority: 10 });
        }
      }
      const position = describe(day, counts);
      const cursor = { day, position };
      return requests.length > 0 ? request(requests, { cursor }) : skip(position, { cursor });
    },
  });
}

function describe(day: string, counts: Readonly<Record<LaunchDecision, number>>): string {
  const parts = [
    [counts.launch, 'launched'],
    [counts.active, 'queued or running'],
    [counts.wait, 'waiting to be tried again'],
    [counts.done, 'done'],
    [counts.given_up, 'given up after repeated failures'],
  ] as const;
  const words = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return `${day}: ${words.length > 0 ? words.join(', ') : 'no duckling is enabled'}`;
}
