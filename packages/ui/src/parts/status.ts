/** What every state of Skein looks like: its word, its icon and its tone. Colour is never the only sign. */

import {
  Ban,
  Check,
  CircleDashed,
  CirclePause,
  CircleSlash,
  Clock,
  Hourglass,
  Loader,
  Minus,
  Play,
  SkipForward,
  Square,
  TimerOff,
  TriangleAlert,
  Copy,
  X,
  type LucideIcon,
} from 'lucide-react';

export type Tone = 'good' | 'bad' | 'busy' | 'wait' | 'warn' | 'calm' | 'none';

export interface Look {
  readonly word: string;
  readonly icon: LucideIcon;
  readonly tone: Tone;
  readonly moves?: true;
}

const LOOKS: Readonly<Record<string, Look>> = {
  // Runs
  QUEUED: { word: 'queued', icon: Clock, tone: 'wait' },
  STARTING: { word: 'starting', icon: Loader, tone: 'busy', moves: true },
  STARTED: { word: 'running', icon: Loader, tone: 'busy', moves: true },
  SUCCESS: { word: 'success', icon: Check, tone: 'good' },
  FAILURE: { word: 'failed', icon: X, tone: 'bad' },
  CANCELING: { word: 'cancelling', icon: Hourglass, tone: 'warn' },
  CANCELED: { word: 'cancelled', icon: Ban, tone: 'calm' },
  // Partitions
  missing: { word: 'missing', icon: CircleDashed, tone: 'none' },
  materialized: { word: 'materialized', icon: Check, tone: 'good' },
  failed: { word: 'failed', icon: X, tone: 'bad' },
  skipped: { word: 'skipped', icon: SkipForward, tone: 'calm' },
  queued: { word: 'queued', icon: Clock, tone: 'wait' },
  running: { word: 'running', icon: Loader, tone: 'busy', moves: true },
  cancelling: { word: 'cancelling', icon: Hourglass, tone: 'warn' },
  idle: { word: 'idle', icon: Minus, tone: 'none' },
  fresh: { word: 'fresh', icon: Check, tone: 'good' },
  late: { word: 'late', icon: Clock, tone: 'bad' },
  unknown: { word: 'freshness unknown', icon: CircleDashed, tone: 'none' },
  open: { word: 'not yet', icon: CircleDashed, tone: 'none' },
  // Ticks
  requested: { word: 'requested', icon: Play, tone: 'good' },
  suppressed: { word: 'suppressed', icon: Copy, tone: 'warn' },
  acted: { word: 'acted', icon: Check, tone: 'good' },
  timed_out: { word: 'timed out', icon: TimerOff, tone: 'bad' },
  // Sensors and schedules
  RUNNING: { word: 'running', icon: Play, tone: 'good' },
  STOPPED: { word: 'stopped', icon: Square, tone: 'calm' },
  // Backfills
  REQUESTED: { word: 'requested', icon: Clock, tone: 'wait' },
  IN_PROGRESS: { word: 'in progress', icon: Loader, tone: 'busy', moves: true },
  COMPLETED: { word: 'completed', icon: Check, tone: 'good' },
  COMPLETED_WITH_FAILURES: { word: 'completed with failures', icon: TriangleAlert, tone: 'bad' },
  PAUSED: { word: 'paused', icon: CirclePause, tone: 'warn' },
};

/** As the API takes them. */
export const PARTITION_STATUSES = [
  'missing',
  'materialized',
  'failed',
  'skipped',
  'queued',
  'running',
  'cancelling',
] as const;

export function lookOf(status: string): Look {
  return LOOKS[status] ?? { word: status.toLowerCase().replaceAll('_', ' '), icon: CircleSlash, tone: 'calm' };
}
