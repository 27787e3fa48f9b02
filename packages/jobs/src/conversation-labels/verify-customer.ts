/** Verification of any range of a customer, outside of a run: the ids are recorded for it, compared, and forgotten. */

import { recordAffected } from './affected.ts';
import { dropScratch } from './finish.ts';
import { ensureOwnSchema } from './lease.ts';
import { dropOperation } from './operation.ts';
import { type Work, planOperations } from './prepare.ts';
import { type Verification, type VerifyOptions, verify } from './verification.ts';
import type { Window } from './windows.ts';

/** One verification for each ClickHouse database of the customer. Changes nothing in labels or source. */
export async function verifyCustomer(
  work: Work,
  customerId: string,
  windows: readonly Window[],
  now: Date,
  options: VerifyOptions = {},
): Promise<Verification[]> {
  await ensureOwnSchema(work.db);
  const found: Verification[] = [];
  for (const planned of await planOperations(
    { ...work, config: { ...work.config, mode: 'delete-insert' } },
    customerId,
    windows,
    now.getTime(),
  )) {
    try {
      await recordAffected(work, planned);
      found.push(await verify(work, planned, options));
    } finally {
      await dropScratch(work, planned);
      await dropOperation(work.db, planned.id);
    }
  }
  return found;
}
