/** What the commands about backfills ask of a Skein, wherever it is; in the shapes that the API answers with. */

import type { z } from 'zod';

import type { BackfillItem, BackfillPlan } from '../../api/routes/backfill-schemas.ts';
import type { LastOutcome } from '../../definitions/sensor.ts';
import type { BackfillRequest } from '../../engine/backfill.ts';
import type { Session } from '../session.ts';

export type ShownBackfill = z.input<typeof BackfillItem>;
type ShownPlan = z.input<typeof BackfillPlan>;

export interface BackfillsPort {
  plan(request: BackfillRequest): Promise<ShownPlan>;
  create(request: BackfillRequest): Promise<{ readonly id: string; readonly total: number }>;
  list(limit: number): Promise<readonly ShownBackfill[]>;
  read(id: string): Promise<ShownBackfill>;
  pause(id: string, reason: string | undefined): Promise<ShownBackfill>;
  resume(id: string): Promise<ShownBackfill>;
  cancel(id: string, options: { readonly running: boolean }): Promise<ShownBackfill>;
  retry(id: string, statuses: readonly LastOutcome[]): Promise<{ readonly id: string; readonly total: number }>;
}

export async function openBackfills(session: Session): Promise<BackfillsPort> {
  const { server } = session;
  if (server) return import('./backfills-remote.ts').then(({ remoteBackfills }) => remoteBackfills(server));
  return import('./backfills-local.ts').then(({ localBackfills }) => localBackfills(session));
}
