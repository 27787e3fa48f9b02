/** What the commands about sensors and their cursors ask of a Skein, wherever it is. */

import type { TickRecord } from '../../api/reads/sensors.ts';
import type { Json } from '../../definitions/json.ts';
import type { SensorStatus } from '../../definitions/sensor.ts';
import type { Session } from '../session.ts';

export interface ShownSensor {
  readonly name: string;
  readonly description: string;
  readonly job: string;
  readonly every_ms: number;
  readonly status: SensorStatus;
  readonly status_by: string;
  readonly status_at: string | null;
  readonly status_version: number;
  readonly cursor: Json;
  readonly version: number;
  readonly generation: number;
  readonly error_streak: number;
  readonly last_tick: {
    readonly id: string;
    readonly decision: string;
    readonly reason: string;
    readonly ended_at: string | null;
  } | null;
  readonly next_tick_at: string | null;
}

interface ShownPreview {
  readonly at: string;
  readonly requests: readonly {
    readonly partitions: readonly string[];
    readonly config?: unknown;
    readonly suppressed_by: string | null;
  }[];
  readonly skip_reason: string | null;
}

interface ShownCursor {
  readonly cursor: Json;
  readonly version: number;
  readonly generation: number;
}

interface ShownCursorChange {
  readonly version: number;
  readonly at: string;
  readonly by: string;
  readonly reason: string;
  readonly before: Json;
  readonly after: Json;
}

export interface CursorWrite {
  readonly reason: string | undefined;
  readonly ifVersion: number | undefined;
}

export interface SensorsPort {
  list(): Promise<readonly ShownSensor[]>;
  /** @throws NotFoundError */
  read(name: string): Promise<ShownSensor>;
  ticks(name: string, limit: number): Promise<readonly TickRecord[]>;
  turn(name: string, status: SensorStatus): Promise<void>;
  preview(name: string, ticks: number, cursor: Json | undefined): Promise<readonly ShownPreview[]>;
  /** Evaluates now; gives the tick when it has ended. */
  tick(name: string): Promise<TickRecord>;
  cursor(name: string): Promise<ShownCursor>;
  /** What a reset restores. */
  initialCursor(name: string): Promise<Json>;
  /** Refuses what the schema does not take, where that can be known before it is written. */
  checkCursor(name: string, cursor: Json): Promise<void>;
  /** Newest first. */
  history(name: string, limit: number): Promise<readonly ShownCursorChange[]>;
  setCursor(name: string, cursor: Json, write: CursorWrite): Promise<void>;
  resetCursor(name: string, write: CursorWrite): Promise<void>;
  /** To how it was after a version, or before the newest change. */
  restoreCursor(name: string, version: number | undefined, write: CursorWrite): Promise<void>;
}

export async function openSensors(session: Session): Promise<SensorsPort> {
  const { server } = session;
  if (server) return import('./sensors-remote.ts').then(({ remoteSensors }) => remoteSensors(server));
  return import('./sensors-local.ts').then(({ localSensors }) => localSensors(session));
}
