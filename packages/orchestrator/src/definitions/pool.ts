/**
 * Pools: how many attempts may work at once under one name. A pool may breathe with its destination: a probe looks at
 * it and says how many it bears now, within bounds, and why.
 */

import { type Duration, parseDurationMs } from './duration.ts';
import { DefinitionInvalidError } from './errors.ts';
import type { Opened, ResourceMap } from './resource.ts';

export interface ProbeVerdict {
  readonly limit: number;
  /** One sentence or less, with the number that decided: `parts 2,100 of 3,000`. */
  readonly reason: string;
}

export interface ProbeContext<R> {
  readonly resources: R;
  /** Aborts when the look takes too long. */
  readonly signal: AbortSignal;
  /** What the verdict is held within. */
  readonly min: number;
  readonly max: number;
}

export interface PoolSpec<R extends ResourceMap> {
  /** Until a probe has spoken, and where there is none. */
  readonly limit: number;
  /** Default 1. */
  readonly min?: number;
  /** Default `limit`. */
  readonly max?: number;
  /** Between two looks; default 15 s. */
  readonly every?: Duration;
  readonly resources?: R;
  /** A probe that throws counts as a destination that bears `min`. */
  readonly probe?: (context: ProbeContext<Opened<R>>) => Promise<ProbeVerdict>;
}

export interface PoolProbe {
  readonly min: number;
  readonly max: number;
  readonly everyMs: number;
  readonly resources: ResourceMap;
  readonly probe: (context: ProbeContext<unknown>) => Promise<ProbeVerdict>;
}

export interface Pool {
  readonly limit: number;
  readonly probe: PoolProbe | undefined;
}

/** @throws DefinitionInvalidError when the bounds contradict each other */
export function definePool<R extends ResourceMap = Record<never, never>>(spec: PoolSpec<R>): Pool {
  const { limit, min = 1, max = limit } = spec;
  const whole = [limit, min, max].every((one) => Number.isInteger(one) && one >= 0);
  if (!whole || min > limit || limit > max)
    throw new DefinitionInvalidError(
      `A pool of ${limit}, at least ${min} and at most ${max}: give whole numbers with min ≤ limit ≤ max.`,
    );
  if (spec.probe === undefined) return { limit, probe: undefined };
  return {
    limit,
    probe: {
      min,
      max,
      everyMs: parseDurationMs(spec.every ?? '15s'),
      resources: spec.resources ?? {},
      // Types of one pool are tied together by its specification; the engine hands the probe only its own resources.
      probe: spec.probe as unknown as PoolProbe['probe'],
    },
  };
}
