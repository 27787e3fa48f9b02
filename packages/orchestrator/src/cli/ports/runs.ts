/** What the commands about runs ask of a Skein, wherever it is: of the ledger, or of a server over HTTP. */

import type { RunDetail, RunEvent, RunSummary } from '../../definitions/client.ts';
import type { JsonObject } from '../../definitions/json.ts';
import type { RunStatus } from '../../definitions/sensor.ts';
import type { RetryScope } from '../../engine/retry.ts';
import type { Session } from '../session.ts';

interface LaunchOrder {
  readonly job: string;
  /** Keys and ranges, as they were written. */
  readonly partitions: readonly string[];
  readonly config: JsonObject | undefined;
  readonly tags: Readonly<Record<string, string>> | undefined;
  readonly priority: number | undefined;
  readonly runKey: string | undefined;
  readonly dryRun: boolean;
}

export interface RunFilter {
  readonly job?: string;
  readonly status?: RunStatus;
  readonly limit: number;
  /** Only older than this run. */
  readonly before?: string;
}

/** A list over HTTP does not hold the configs. */
export type ListedRun = Omit<RunSummary, 'config'> & { readonly config?: JsonObject };

export interface RunsPort {
  launch(order: LaunchOrder): Promise<{ readonly runId: string; readonly isNew: boolean }>;
  /** With all its partitions. @throws NotFoundError */
  read(id: string): Promise<RunDetail>;
  /** How far it is. */
  glance(id: string): Promise<ListedRun>;
  list(filter: RunFilter): Promise<readonly ListedRun[]>;
  /** The last lines of its log. */
  tail(id: string, limit: number): Promise<readonly RunEvent[]>;
  /** Its events and log lines as they come; resolves when it has ended. */
  follow(id: string, onEvent: (event: RunEvent) => void): Promise<void>;
  cancel(id: string): Promise<RunStatus>;
  retry(
    id: string,
    scope: RetryScope,
  ): Promise<{ readonly runId: string; readonly partitions: readonly string[]; readonly carried: number }>;
  /** Works in this process where nobody does, until it is stopped; a server’s workers are not ours to be. */
  work(): Promise<{ stop(): Promise<void> }>;
}

export async function openRuns(session: Session): Promise<RunsPort> {
  const { server } = session;
  if (server) return import('./runs-remote.ts').then(({ remoteRuns }) => remoteRuns(server));
  return import('./runs-local.ts').then(({ localRuns }) => localRuns(session));
}
