/** Small decisions of verification, pure. */

export interface ReplicaCount {
  readonly shard: number;
  readonly host: string;
  readonly rows: number;
}

/** Every replica of a shard must hold the same number of rows. */
export function replicasAgree(counts: readonly ReplicaCount[]): {
  readonly passed: boolean;
  readonly description: string;
} {
  const shards = new Map<number, ReplicaCount[]>();
  for (const count of counts) shards.set(count.shard, [...(shards.get(count.shard) ?? []), count]);
  const off = [...shards].filter(([, replicas]) => new Set(replicas.map((r) => r.rows)).size > 1);
  const shown = off
    .map(([shard, replicas]) => `shard ${shard}: ${replicas.map((r) => `${r.host} ${r.rows}`).join(', ')}`)
    .join('; ');
  return {
    passed: off.length === 0 && counts.length > 0,
    description: `${counts.length} replicas of ${shards.size} shards, ${off.length} shards disagree${shown ? ` (${shown})` : ''}.`,
  };
}

/** Without a tolerance, equal means equal: 1.9 % apart is wrong. */
export function withinTolerance(labels: number, source: number, percent: number): boolean {
  return Math.abs(labels - source) * 100 <= percent * source;
}
