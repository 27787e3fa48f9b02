/** What the commands about partitions ask of a Skein, wherever it is; in the shapes that the API answers with. */

import type { z } from 'zod';

import type { Counts } from '../../api/routes/asset-schemas.ts';
import type { PartitionItem } from '../../api/routes/partitions.ts';
import type { Activity, LastOutcome } from '../../definitions/sensor.ts';
import type { Mark, MarkResult } from '../../engine/mark.ts';
import type { Session } from '../session.ts';

export type ShownPartition = z.input<typeof PartitionItem>;

interface PartitionQuery {
  /** Ids and ranges of them; none: all that ever had a state. */
  readonly ids: readonly string[];
  /** Labels such as days, both included. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly statuses: readonly (LastOutcome | Exclude<Activity, 'idle'>)[];
}

interface PartitionSelection {
  /** Keys and ranges, as they were written. */
  readonly partitions: readonly string[];
  /** Every partition of these ids and ranges. */
  readonly ids: readonly string[];
}

interface MarkOptions {
  readonly reason: string | undefined;
  /** Only counts what would change. */
  readonly preview: boolean;
}

export interface PartitionsPort {
  /** At most so many. @throws NotFoundError, PartitionKeyInvalidError */
  list(asset: string, query: PartitionQuery, limit: number): Promise<readonly ShownPartition[]>;
  counts(asset: string, ids: readonly string[]): Promise<z.input<typeof Counts>>;
  mark(asset: string, selection: PartitionSelection, as: Mark, options: MarkOptions): Promise<MarkResult>;
}

export async function openPartitions(session: Session): Promise<PartitionsPort> {
  const { server } = session;
  if (server) return import('./partitions-remote.ts').then(({ remotePartitions }) => remotePartitions(server));
  return import('./partitions-local.ts').then(({ localPartitions }) => localPartitions(session));
}
