/** Which requests of a preview the ledger would suppress, because their run key has launched already. */

import type { Asset } from '../definitions/asset.ts';
import type { Engine } from './engine.ts';
import { readLastRuns } from './partition-reader.ts';

interface Asked {
  readonly partitions: readonly string[];
  readonly run_key: string | null;
}

/**
 * For each request the run that launched with its key, or null. A key that the engine makes ends with the number of
 * unsuccessful runs of its partitions, as lua/include/submit.lua adds it.
 */
export async function suppressedBy(
  engine: Engine,
  scope: string,
  asset: Asset,
  requests: readonly Asked[],
): Promise<(string | null)[]> {
  const keys = [...new Set(requests.flatMap((one) => one.partitions))];
  const last = await readLastRuns(engine, asset, keys);
  const pipeline = engine.redis.pipeline();
  for (const { run_key: key, partitions } of requests) {
    const tries = partitions.reduce((n, one) => n + (last.get(one)?.failures ?? 0), 0);
    pipeline.hmget(`${engine.keys.prefix}:keys:${scope}`, key ?? '', `${key ?? ''}|${tries}`);
  }
  const replies = requests.length === 0 ? [] : ((await pipeline.exec()) ?? []);
  return requests.map((request, i) => {
    if (request.run_key === null) return null;
    const [own, made] = (replies[i]?.[1] ?? []) as (string | null)[];
    return own ?? made ?? null;
  });
}
