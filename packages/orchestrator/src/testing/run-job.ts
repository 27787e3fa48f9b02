/** Runs a whole job in a test: its assets in their order, each as `runAsset` does, held back where one before failed. */

import type { Asset } from '../definitions/asset.ts';
import { configOf, parseConfig } from '../definitions/config.ts';
import { ERRORS } from '../definitions/errors.ts';
import type { Job } from '../definitions/job.ts';
import type { JsonObject } from '../definitions/json.ts';
import type { PartitionOutcome } from '../definitions/outcome.ts';
import { SINGLE_KEY } from '../definitions/partitions/static.ts';
import { type AssetRun, runAsset } from './run-asset.ts';

export interface RunJobOptions {
  /** Empty: the config of the first asset names them. */
  readonly partitions?: readonly string[];
  /** As a launch takes it: of a job of several assets, an entry for each. */
  readonly config?: JsonObject;
  /** Of all assets together, by the names that they give them. */
  readonly resources: Readonly<Record<string, unknown>>;
  readonly tags?: Readonly<Record<string, string>>;
  readonly now?: Date;
  readonly signal?: AbortSignal;
}

export interface JobRun {
  readonly status: 'SUCCESS' | 'FAILURE';
  /** Outcomes by asset and partition key. */
  readonly assets: ReadonlyMap<string, ReadonlyMap<string, PartitionOutcome>>;
  /** What each asset said, in the order in which they ran: one for each partition, or one for an asset that fans out. */
  readonly runs: readonly (AssetRun & { readonly asset: string })[];
}

/** @throws ConfigInvalidError, PartitionKeyInvalidError: what a launch would refuse */
export async function runJob(job: Job, options: RunJobOptions): Promise<JobRun> {
  const config = options.config ?? {};
  const now = options.now ?? new Date();
  const keys = keysOf(job, config, options.partitions ?? [], now);
  const assets = new Map<string, ReadonlyMap<string, PartitionOutcome>>();
  const runs: (AssetRun & { asset: string })[] = [];
  let failed = false;
  for (const asset of job.assets) {
    if (failed) {
      assets.set(asset.key, new Map(keys.map((key) => [key, UPSTREAM_FAILED])));
      continue;
    }
    const each = asset.materialize ? keys.map((key) => [key]) : [keys];
    const outcomes = new Map<string, PartitionOutcome>();
    for (const partitions of each) {
      const run = await runAsset(asset, { ...options, partitions, config: configOf(job, asset, config), now });
      runs.push({ ...run, asset: asset.key });
      for (const [key, outcome] of run.partitions) outcomes.set(key, outcome);
      failed ||= run.status === 'FAILURE';
    }
    assets.set(asset.key, outcomes);
  }
  return { status: failed ? 'FAILURE' : 'SUCCESS', assets, runs };
}

const UPSTREAM_FAILED: PartitionOutcome = {
  kind: 'failed',
  error: { code: 'UPSTREAM_FAILED', message: ERRORS.UPSTREAM_FAILED ?? '' },
  metadata: {},
};

function keysOf(job: Job, config: JsonObject, given: readonly string[], now: Date): readonly string[] {
  const [first] = job.assets as readonly [Asset, ...Asset[]];
  if (given.length > 0) return given;
  if (first.partitions.kind === 'single') return [SINGLE_KEY];
  return first.partitionsOf?.(parseConfig(first, configOf(job, first, config)), now) ?? [];
}
