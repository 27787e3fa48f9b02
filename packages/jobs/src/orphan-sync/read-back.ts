/**
 * Reading repairs back: a message that Kafka took is a repair only when ClickHouse shows it. Decides of each mapping
 * whether it arrived, lost against a newer row, or did not come within the wait.
 */

import { setTimeout as sleep } from 'node:timers/promises';

import { type MappingState, type TeamInClickHouse, mappingSlices } from './clickhouse-reads.ts';
import type { Mapping } from './messages.ts';

export interface ReadBack {
  readonly superseded: readonly Mapping[];
  readonly notArrived: readonly Mapping[];
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** @param waitMs for all mappings together, however many they are */
export async function readBack(
  team: TeamInClickHouse,
  mappings: readonly Mapping[],
  waitMs: number,
  signal: AbortSignal,
): Promise<ReadBack> {
  const deadline = performance.now() + waitMs;
  const superseded: Mapping[] = [];
  const notArrived: Mapping[] = [];
  let pauseMs = FIRST_PAUSE_MS;
  // The last sent arrive last: once they are there, the others are found at the first look.
  for (const slice of mappingSlices(mappings).reverse()) {
    let waiting: readonly Mapping[] = slice;
    for (;;) {
      const states = await team.mappingStates(waiting);
      const late = performance.now() >= deadline;
      const verdicts = waiting.map((mapping) => ({
        mapping,
        verdict: judge(mapping, states.get(mapping.distinctId), late),
      }));
      for (const { mapping, verdict } of verdicts) {
        if (verdict === 'superseded') superseded.push(mapping);
        if (verdict === 'missing' && late) notArrived.push(mapping);
      }
      waiting = late ? [] : verdicts.filter(({ verdict }) => verdict === 'missing').map(({ mapping }) => mapping);
      if (waiting.length === 0) break;
      await sleep(Math.max(1, Math.min(pauseMs, deadline - performance.now())), undefined, { signal });
      pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS);
    }
  }
  return { superseded, notArrived };
}

/** Those that ClickHouse does not have yet and would take: what a repeated batch still must send. */
export async function notYetThere(team: TeamInClickHouse, mappings: readonly Mapping[]): Promise<Mapping[]> {
  const missing: Mapping[] = [];
  for (const slice of mappingSlices(mappings)) {
    const states = await team.mappingStates(slice);
    missing.push(...slice.filter((mapping) => judge(mapping, states.get(mapping.distinctId), false) === 'missing'));
  }
  return missing;
}

/**
 * A row of the same version with other content is not ours: while there is time ours may still come and replace it,
 * after that it has won.
 */
export function judge(
  mapping: Mapping,
  state: MappingState | undefined,
  late: boolean,
): 'arrived' | 'superseded' | 'missing' {
  if (state === undefined) return 'missing';
  const version = BigInt(mapping.version);
  if (state.version >= version && !state.isDeleted && state.personId === mapping.personId) return 'arrived';
  if (state.version > version || (late && state.version === version)) return 'superseded';
  return 'missing';
}
