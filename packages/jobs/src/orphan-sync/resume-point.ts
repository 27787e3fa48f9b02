/**
 * What a checkpoint of the orphan sync holds, so that a new attempt goes on where a lost one stopped and counts what
 * that one did. A batch is written down before it is worked on: its persons stop being orphans once their ids arrive,
 * so they could not be found again by asking.
 */

import type { Json } from '@skein/orchestrator';
import { z } from 'zod';

import { Counters, ZERO } from './counters.ts';

/** A place in the order (created_at, id) of persons. */
export const Position = z.object({ created_at: z.string(), person_id: z.guid() });
export type Position = z.output<typeof Position>;

export interface ResumePoint {
  /** Of all batches that are done. */
  readonly counters: Counters;
  /** The last person of the last batch that is done. */
  readonly done: Position | null;
  /** Written down, perhaps in part worked off. Null between batches. */
  readonly inFlight: { readonly personIds: readonly string[]; readonly end: Position } | null;
  /** Mappings up to here were read back; those from here to `done` were not. */
  readonly readBack: Position | null;
}

export const START: ResumePoint = { counters: ZERO, done: null, inFlight: null, readBack: null };

/** Persons of one batch at most: 16 bytes each in base64, 43 KB of the 64 KB that a checkpoint may have. */
export const MAX_PERSONS_IN_FLIGHT = 2_000;

const Stored = z.object({
  v: z.literal(1),
  counters: Counters,
  done: Position.nullable(),
  in_flight: z.object({ persons: z.base64(), end: Position }).nullable(),
  read_back: Position.nullable(),
});

export function storeResumePoint(point: ResumePoint): Json {
  const { counters, done, inFlight, readBack } = point;
  const stored: z.input<typeof Stored> = {
    v: 1,
    counters,
    done,
    in_flight: inFlight === null ? null : { persons: packIds(inFlight.personIds), end: inFlight.end },
    read_back: readBack,
  };
  return stored;
}

/** Undefined when nothing usable is stored: a checkpoint of another version of this code starts the scan anew. */
export function loadResumePoint(stored: Json | undefined): ResumePoint | undefined {
  const parsed = Stored.safeParse(stored);
  if (!parsed.success) return undefined;
  const { counters, done, in_flight: inFlight, read_back: readBack } = parsed.data;
  return {
    counters,
    done,
    readBack,
    inFlight: inFlight === null ? null : { personIds: unpackIds(inFlight.persons), end: inFlight.end },
  };
}

function packIds(ids: readonly string[]): string {
  return Buffer.from(ids.join('').replaceAll('-', ''), 'hex').toString('base64');
}

function unpackIds(packed: string): string[] {
  const hex = Buffer.from(packed, 'base64').toString('hex');
  return Array.from({ length: hex.length / 32 }, (_, i) => {
    const id = hex.slice(i * 32, i * 32 + 32);
    return `${id.slice(0, 8)}-${id.slice(8, 12)}-${id.slice(12, 16)}-${id.slice(16, 20)}-${id.slice(20)}`;
  });
}
