/** What a partition ends as. An asset returns one of these; a thrown error is the outcome `failed`. */

import type { Json } from './json.ts';

/** Facts about what was made; row counts are named `rows` or `rows_<what>`. */
export type Metadata = { readonly [key: string]: Json | undefined };

export interface Materialized {
  readonly kind: 'materialized';
  readonly metadata: Metadata;
}

/** There was nothing to do, or it must not be done; recorded as the partition's last outcome. */
export interface Skipped {
  readonly kind: 'skipped';
  readonly reason: string;
  readonly metadata: Metadata;
}

/** A rehearsal (dry run, sample, part of a day): recorded in the run, the partition's state stays as it was. */
export interface Rehearsed {
  readonly kind: 'rehearsed';
  readonly reason: string;
  readonly metadata: Metadata;
}

export interface Failed {
  readonly kind: 'failed';
  readonly error: { readonly code: string; readonly message: string };
  readonly metadata: Metadata;
}

/** What `materialize` may return. */
export type Outcome = Materialized | Skipped | Rehearsed;
/** What one partition of a run over many may be settled with. */
export type PartitionOutcome = Outcome | Failed;

export function materialized(metadata: Metadata = {}): Materialized {
  return { kind: 'materialized', metadata };
}

export function skipped(reason: string, metadata: Metadata = {}): Skipped {
  return { kind: 'skipped', reason, metadata };
}

export function rehearsed(reason: string, metadata: Metadata = {}): Rehearsed {
  return { kind: 'rehearsed', reason, metadata };
}

export function failed(error: { readonly code: string; readonly message: string }, metadata: Metadata = {}): Failed {
  return { kind: 'failed', error, metadata };
}
