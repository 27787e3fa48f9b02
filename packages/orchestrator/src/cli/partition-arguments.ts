/** Partitions as they are named on the command line: keys, ranges such as `1..50_2024-01-01..2024-03-31`, ids. Pure. */

import type { Asset } from '../definitions/asset.ts';
import { lookUp, type Deployment } from '../definitions/deployment.ts';
import { ConfigInvalidError, PartitionKeyInvalidError } from '../definitions/errors.ts';

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

/** More rows are a matter for a backfill or for the dashboard. */
const MAX_ROWS = 10_000;

/** Rows that ids such as `7`, `7,8` or `1..50` mean. @throws PartitionKeyInvalidError */
export function expandRows(asset: Asset, texts: readonly string[]): string[] {
  const rows = texts.flatMap((text) => text.split(',')).flatMap((text) => idsOf(text.trim()));
  if (rows.length > MAX_ROWS)
    throw new PartitionKeyInvalidError(`At most ${MAX_ROWS} ids at once, not ${rows.length}.`);
  return [...new Set(rows)].map((id) => rowOf(asset, id));
}

function idsOf(text: string): string[] {
  const [, from, to] = /^(\d+)\.\.(\d+)$/.exec(text) ?? [];
  if (from === undefined || to === undefined) return [text];
  const count = Number(to) - Number(from) + 1;
  if (count < 1) throw new PartitionKeyInvalidError(`The range “${text}” is empty: its end lies before its start.`);
  if (count > MAX_ROWS) throw new PartitionKeyInvalidError(`At most ${MAX_ROWS} ids at once, not ${count}.`);
  return Array.from({ length: count }, (_, i) => String(Number(from) + i));
}

function rowOf(asset: Asset, id: string): string {
  const { partitions } = asset;
  if (partitions.kind === 'time_window' || partitions.kind === 'single')
    throw new PartitionKeyInvalidError(`${asset.key} has no ids: its partitions are ${partitions.grammar}.`);
  // A composite knows its ids only as part of a key, and every column has a label.
  const key = partitions.kind === 'composite' ? `${id}_${partitions.columns.label(0)}` : id;
  return partitions.cell(partitions.parse(key)).row;
}
