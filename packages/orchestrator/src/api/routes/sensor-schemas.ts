/** Sensors, ticks and cursors as they travel. */

import { z } from 'zod';

import { Facts, Time, named } from '../schema.ts';
import { Version } from '../versions.ts';

export const SensorStatus = named('SensorStatus', z.enum(['RUNNING', 'STOPPED']));

export const SensorParams = z.object({ name: z.string().min(1).max(100) });

export const SensorSwitched = z.object({ status: SensorStatus, before: SensorStatus, version: Version });

/** Of a switch: not of the cursor, which has its own. */
export const StatusVersion = z
  .number()
  .describe('Of the switch, growing with each word of a person; also the ETag, to send back as If-Match.');

export const LastTick = z.object({
  id: z.string(),
  decision: z.string(),
  reason: z.string(),
  ended_at: Time.nullable(),
});

export const SensorItem = named(
  'Sensor',
  z.object({
    name: z.string(),
    description: z.string(),
    job: z.string(),
    assets: z.array(z.string()),
    every_ms: z.number(),
    timeout_ms: z.number(),
    status: SensorStatus,
    default_status: SensorStatus,
    status_by: z.string().describe('`definition`, or who turned it.'),
    status_at: Time.nullable(),
    status_version: StatusVersion,
    running_tick: z.string().nullable(),
    last_tick: LastTick.nullable(),
    next_due_at: Time.nullable(),
    error_streak: z.number(),
    recent: z.array(z.string()).describe('Decisions of the newest ticks, 48 at most, oldest first.'),
  }),
);

export const SensorDetail = named(
  'SensorDetail',
  SensorItem.extend({
    cursor: z.unknown(),
    cursor_version: z.number(),
    cursor_generation: z.number(),
    cursor_schema: Facts.describe('JSON schema, draft 7, for the form.'),
    initial_cursor: z.unknown().describe('What a reset restores.'),
    resources: z.array(z.string()),
  }),
);

export const Tick = named(
  'Tick',
  z.object({
    id: z.string(),
    sensor: z.string(),
    status: z.string().describe('STARTED, SUCCESS, SKIPPED, FAILURE'),
    decision: z.string().describe('running, requested, suppressed, acted, skipped, failed, timed_out'),
    reason: z.string(),
    trigger: z.string().describe('`timer`, or who asked for it.'),
    worker: z.string().nullable(),
    started_at: Time,
    ended_at: Time.nullable(),
    duration_ms: z.number().nullable(),
    requested: z.number(),
    suppressed: z.number(),
    run_ids: z.array(z.string()),
    suppressed_run_ids: z.array(z.string()).describe('The earlier runs of suppressed requests.'),
    cursor_before: z.unknown(),
    cursor_after: z.unknown(),
    log: z
      .array(z.object({ at: z.number(), level: z.string(), text: z.string() }))
      .describe('What its code logged; `at` in ms since it was begun.'),
  }),
);

export const TickMark = named(
  'TickMark',
  z.object({
    id: z.string(),
    at: Time,
    decision: z.string(),
    duration_ms: z.number().nullable(),
    requested: z.number(),
  }),
);

export const Cursor = named(
  'Cursor',
  z.object({
    cursor: z.unknown(),
    version: Version,
    generation: z.number().describe('Grows with each reset or restore; older run keys no longer suppress.'),
  }),
);

export const CursorChange = named(
  'CursorChange',
  z.object({
    version: z.number(),
    at: Time,
    by: z.string().describe('`tick:ID`, or a person.'),
    reason: z.string(),
    before: z.unknown(),
    after: z.unknown(),
  }),
);

export const PreviewTick = named(
  'PreviewTick',
  z.object({
    at: Time,
    requests: z.array(
      z.object({
        partitions: z.array(z.string()),
        config: z.unknown(),
        tags: z.record(z.string(), z.string()),
        run_key: z.string().nullable(),
        suppressed_by: z
          .string()
          .nullable()
          .describe('What has this key already, a run or an earlier tick of this preview: nothing would be launched.'),
      }),
    ),
    skip_reason: z.string().nullable(),
    cursor_before: z.unknown(),
    cursor_after: z.unknown(),
  }),
);
