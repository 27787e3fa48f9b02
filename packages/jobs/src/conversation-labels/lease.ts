/**
 * Who labels a customer: one lease row a customer, in PostgreSQL, taken by backfills and by the regular labelling. A
 * backfill keeps it from its plan to its end, over the deaths of its workers: the row belongs to the run, is renewed
 * while any of its steps works, and stays until the run ends it or nobody has renewed it for its whole term. Each step
 * is a holder of its own, so a worker that comes back from the dead finds itself replaced and stops.
 */

import { randomUUID } from 'node:crypto';

import { LeaseLostError } from '@skein/orchestrator';
import type pg from 'pg';

import { asPostgresError } from '../resources/postgres.ts';
import { CustomerHeldError } from './errors.ts';
import { pause } from './pause.ts';
import { CREATE_OWN_SCHEMA } from './source-sql.ts';

/** `backfill`: many days; `day`: one; `regular`: the sensor's runs. */
export type HolderKind = 'regular' | 'day' | 'backfill';

export interface Lease {
  readonly customer_id: string;
  readonly run_id: string;
  readonly kind: HolderKind;
  readonly taken_at: Date;
  readonly expires_at: Date;
}

export interface LeaseTerms {
  readonly ttlMs: number;
  /** How long a run waits for a holder that is soon done (a regular run, one day). */
  readonly patienceMs: number;
}

/**
 * Long enough for the next step of a run to find a worker after the loss of one (noticed within 30 s); short enough
 * that a customer is not locked for long by a run that will never come back.
 */
export const LEASE_TERMS: LeaseTerms = { ttlMs: 300_000, patienceMs: 600_000 };

const TAKE = `
  INSERT INTO skein_labels.leases AS l (customer_id, run_id, kind, holder, taken_at, expires_at)
  VALUES ($1, $2, $3, $4, now(), now() + $5 * interval '1 millisecond')
  ON CONFLICT (customer_id) DO UPDATE
    SET run_id = excluded.run_id, kind = excluded.kind, holder = excluded.holder, expires_at = excluded.expires_at,
        taken_at = CASE WHEN l.run_id = excluded.run_id THEN l.taken_at ELSE now() END
    WHERE l.run_id = excluded.run_id OR l.expires_at < now()
  RETURNING 1`;
const RENEW = `
  UPDATE skein_labels.leases SET expires_at = now() + $4 * interval '1 millisecond'
  WHERE customer_id = $1 AND run_id = $2 AND holder = $3`;
const RELEASE = 'DELETE FROM skein_labels.leases WHERE customer_id = $1 AND run_id = $2';
const LIVE = `
  SELECT customer_id, run_id, kind, taken_at, expires_at FROM skein_labels.leases
  WHERE expires_at >= now() AND ($1::text IS NULL OR customer_id = $1)`;

export interface Claim {
  readonly db: pg.Pool;
  readonly customerId: string;
  readonly runId: string;
  readonly kind: HolderKind;
  readonly terms: LeaseTerms;
  readonly signal: AbortSignal;
}

/** Creates Skein's own schema where it is missing. */
export async function ensureOwnSchema(db: pg.Pool): Promise<void> {
  try {
    await db.query(CREATE_OWN_SCHEMA);
  } catch (error) {
    throw asPostgresError(error);
  }
}

/** Live leases; none where the labelling has never run. */
export async function liveLeases(db: pg.Pool, customerId?: string): Promise<Lease[]> {
  try {
    const { rows: there } = await db.query<{ there: boolean }>(
      `SELECT to_regclass('skein_labels.leases') IS NOT NULL AS there`,
    );
    if (!there[0]?.there) return [];
    return (await db.query<Lease>(LIVE, [customerId ?? null])).rows;
  } catch (error) {
    throw asPostgresError(error);
  }
}

/**
 * Takes the lease, or renews the run's own. Waits for a holder that is soon done, unless the claim is regular.
 * @throws CustomerHeldError that names the holder
 */
export async function claim(request: Claim): Promise<{ readonly holder: string }> {
  const holder = randomUUID();
  const deadline = performance.now() + request.terms.patienceMs;
  for (;;) {
    if (await take(request, holder)) return { holder };
    const [other] = await liveLeases(request.db, request.customerId);
    if (!other) continue;
    const soonDone = other.kind !== 'backfill' && request.kind !== 'regular';
    if (!soonDone || performance.now() >= deadline) throw heldBy(request, other);
    await pause(250, request.signal);
  }
}

async function take({ db, customerId, runId, kind, terms }: Claim, holder: string): Promise<boolean> {
  try {
    return (await db.query(TAKE, [customerId, runId, kind, holder, terms.ttlMs])).rowCount === 1;
  } catch (error) {
    throw asPostgresError(error);
  }
}

/** Works with the lease held and renewed; `work` gets a signal that also ends when the lease is lost. */
export async function holding<T>(request: Claim, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { holder } = await claim(request);
  const lost = new AbortController();
  const giveUp = (why: string) =>
    lost.abort(new LeaseLostError(`The lease on customer ${request.customerId} ${why}; this worker stops.`));
  let confirmedAt = performance.now();
  const timer = setInterval(() => {
    // Stops before the term is over: after it another run may begin.
    if (performance.now() - confirmedAt > request.terms.ttlMs * 0.8) giveUp('could not be renewed in time');
    request.db.query(RENEW, [request.customerId, request.runId, holder, request.terms.ttlMs]).then(
      ({ rowCount }) => {
        if (rowCount === 0) giveUp('was taken over');
        else confirmedAt = performance.now();
      },
      () => {},
    );
  }, request.terms.ttlMs / 5);
  try {
    return await work(AbortSignal.any([request.signal, lost.signal]));
  } finally {
    clearInterval(timer);
  }
}

/** Gives the customer back at the end of a run; a lease that another run holds stays. */
export async function release(db: pg.Pool, customerId: string, runId: string): Promise<boolean> {
  try {
    return (await db.query(RELEASE, [customerId, runId])).rowCount === 1;
  } catch (error) {
    throw asPostgresError(error);
  }
}

function heldBy({ customerId, kind }: Claim, other: Lease): CustomerHeldError {
  const what =
    other.kind === 'backfill'
      ? 'a backfill'
      : other.kind === 'day'
        ? 'the relabelling of a day'
        : 'the regular labelling';
  return new CustomerHeldError(
    `Customer ${customerId} is held by ${what}: run ${other.run_id}, since ${other.taken_at.toISOString()}.` +
      (kind === 'regular'
        ? ''
        : ` Wait for it, cancel it, or, when it has ended, free the customer with “skein labels release --customer ${customerId}”.`),
    { details: { customer_id: customerId, run_id: other.run_id, kind: other.kind } },
  );
}
