/** Runs a whole job in a test: its assets in their order, each as `runAsset` does, each partition held back where what it is made from failed. */

import type { Asset, Dependency } from '../definitions/asset.ts';
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
  /** Assets that fan out and failed as a whole, whatever their partitions ended as. */
  const broken = new Set<string>();
  for (const asset of job.assets) {
    const held = (key: string) => asset.dependsOn.some((one) => broken.has(one.asset) || hasFailed(assets, one, key));
    const todo = keys.filter((key) => !held(key));
    const outcomes = new Map(keys.filter(held).map((key) => [key, UPSTREAM_FAILED]));
    const each = asset.materialize ? todo.map((key) => [key]) : todo.length > 0 || keys.length === 0 ? [todo] : [];
    for (const partitions of each) {
      const run = await runAsset(asset, { ...options, partitions, config: configOf(job, asset, config), now });
      runs.push({ ...run, asset: asset.key });
      for (const [key, outcome] of run.partitions) outcomes.set(key, outcome);
      failed ||= run.status === 'FAILURE';
      if (asset.tasks && run.error !== undefined) broken.add(asset.key);
    }
    assets.set(asset.key, outcomes);
  }
  return { status: failed ? 'FAILURE' : 'SUCCESS', assets, runs };
}

function hasFailed(assets: JobRun['assets'], { asset, mapping }: Dependency, key: string): boolean {
  const outcomes = assets.get(asset);
  if (mapping !== 'all') return outcomes?.get(key)?.kind === 'failed';
  return [...(outcomes?.values() ?? [])].some(({ kind }) => kind === 'failed');
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
