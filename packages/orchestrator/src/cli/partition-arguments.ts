/** Partitions as they are named on the command line: keys, and ranges such as `1..50_2024-01-01..2024-03-31`. Pure. */

import type { Asset } from '../definitions/asset.ts';
import { lookUp, type Deployment } from '../definitions/deployment.ts';
import { ConfigInvalidError } from '../definitions/errors.ts';

/** The asset whose partitions a job's runs are of. @throws NotFoundError */
export function assetOfJob(deployment: Deployment, name: string): Asset {
  const job = lookUp('job', deployment.jobs, name);
  const [asset] = job.assets;
  if (!asset) throw new ConfigInvalidError(`Job ${job.name} has no assets.`);
  return asset;
}

/** Every key that the arguments mean, once. @throws PartitionKeyInvalidError */
export function expandKeys(asset: Asset, texts: readonly string[]): string[] {
  return [...new Set(texts.flatMap((text) => asset.partitions.expand(text)))];
}
