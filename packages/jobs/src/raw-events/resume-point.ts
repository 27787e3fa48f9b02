/** What a day's task saves after every page, so that another attempt goes on behind it without counting twice. */

import type { Checkpoint, Json } from '@skein/orchestrator';
import { z } from 'zod';

import { NOTHING, type Tally } from './counters.ts';
import { DROP_REASONS } from './transform.ts';

const count = z.int().min(0);
const ResumePoint = z.object({
  version: z.literal(1),
  /** The last row that was dealt with; null before the first page. */
  cursor: z
    .object({
      environment_id: z.string(),
      external_customer_id: z.string(),
      timestamp_ms: z.int(),
      event_name: z.string(),
      id: z.string(),
    })
    .nullable(),
  tally: z.object({
    counters: z.object({
      total_events_found: count,
      total_events_published: count,
      total_events_dropped: count,
      total_transformation_errors: count,
      total_events_failed: count,
      processed_batches: count,
    }),
    dropReasons: z.partialRecord(z.enum(DROP_REASONS), count),
    dropExamples: z.partialRecord(z.enum(DROP_REASONS), z.array(z.string())),
  }),
});

export interface ResumePoint {
  readonly version: 1;
  readonly cursor: z.output<typeof ResumePoint>['cursor'];
  readonly tally: Tally;
}

const START: ResumePoint = { version: 1, cursor: null, tally: NOTHING };

/** From the beginning when nothing, or nothing that this version understands, was saved. */
export function loadResumePoint(checkpoint: Checkpoint): ResumePoint {
  const saved = ResumePoint.safeParse(checkpoint.load());
  return saved.success ? (saved.data as ResumePoint) : START;
}

export function saveResumePoint(checkpoint: Checkpoint, point: ResumePoint): Promise<void> {
  return checkpoint.save(point as unknown as Json);
}
