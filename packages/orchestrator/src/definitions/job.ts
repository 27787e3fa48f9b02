/** Jobs: a named selection of assets that is launched together, in dependency order. */

import type { Asset } from './asset.ts';
import { DefinitionInvalidError } from './errors.ts';
import { NO_RETRY, type RetryPolicy } from './retry.ts';

/** What happens to a request for a partition that another run of any job is working on. */
export type OnBusy = 'wait' | 'join' | 'refuse';

export interface JobSpec {
  readonly name: string;
  readonly description?: string;
  /** In dependency order; one is the usual case. Their partitions must be of the same grammar. */
  readonly assets: readonly Asset[];
  readonly tags?: Readonly<Record<string, string>>;
  /** Higher first; 0 by default. Live work uses 10, backfills −10. */
  readonly priority?: number;
  /** Runs of this job at once. */
  readonly maxActiveRuns?: number;
  readonly onBusy?: OnBusy;
  /**
   * How often what was asked for is run, the first run included, where it ends in failure: each time a new run, from the
   * failure, so that what was made is not made again. For faults that outlast the retries of an attempt. Not for runs of a
   * backfill, which has a retry of its own, nor for what was wrong from the beginning (`config_invalid`). Default: once.
   */
  readonly retries?: RetryPolicy;
}

export interface Job {
  readonly name: string;
  readonly description: string;
  readonly assets: readonly Asset[];
  readonly tags: Readonly<Record<string, string>>;
  readonly priority: number;
  readonly maxActiveRuns: number | undefined;
  readonly onBusy: OnBusy;
  readonly retries: RetryPolicy;
}

/** @throws DefinitionInvalidError when the assets are missing or not in dependency order */
export function defineJob(spec: JobSpec): Job {
  if (!/^[a-z][a-z0-9_]{0,99}$/.test(spec.name)) {
    throw new DefinitionInvalidError(
      `Job name “${spec.name}”: use lower-case letters, digits and underscores, a letter first.`,
    );
  }
  if (spec.assets.length === 0) throw new DefinitionInvalidError(`Job “${spec.name}” has no assets.`);
  if (spec.retries !== undefined && !(Number.isInteger(spec.retries.attempts) && spec.retries.attempts >= 1))
    throw new DefinitionInvalidError(`Job “${spec.name}”: retries.attempts is a whole number of runs, at least 1.`);
  spec.assets.forEach((asset, i) => {
    const later = spec.assets.slice(i + 1).find((other) => asset.dependsOn.some((d) => d.asset === other.key));
    if (later)
      throw new DefinitionInvalidError(
        `Job “${spec.name}”: “${asset.key}” depends on “${later.key}”, which stands after it.`,
      );
  });
  return {
    name: spec.name,
    description: spec.description ?? spec.assets.map((a) => a.description).join(' '),
    assets: spec.assets,
    tags: spec.tags ?? {},
    priority: spec.priority ?? 0,
    maxActiveRuns: spec.maxActiveRuns,
    onBusy: spec.onBusy ?? 'wait',
    retries: spec.retries ?? NO_RETRY,
  };
}
