/** What a run's tasks have left, read when all of them have ended, for `settle` and for the checks after it. */

import type { TaskResult } from '../../definitions/asset.ts';
import type { Json } from '../../definitions/json.ts';
import type { Metadata } from '../../definitions/outcome.ts';
import type { Attempt } from '../attempt.ts';
import type { Engine } from '../engine.ts';

export async function readTaskResults(engine: Engine, runId: string): Promise<TaskResult[]> {
  const units = await engine.redis.smembers(engine.keys.runUnits(runId));
  const pipeline = engine.redis.pipeline();
  for (const unit of units) pipeline.hmget(engine.keys.unit(unit), 'kind', 'result', 'error', 'state');
  const replies = ((await pipeline.exec()) ?? []).map(([, reply]) => reply as (string | null)[]);
  return units
    .flatMap((unit, i): TaskResult[] => {
      const [kind, result, error, state] = replies[i] ?? [];
      if (kind !== 'task') return [];
      return [
        {
          task: unit.split('.').slice(2).join('.').replace(/^t-/, ''),
          result: state === 'SUCCEEDED' && result ? (JSON.parse(result) as Json) : undefined,
          error: state === 'FAILED' && error ? (JSON.parse(error) as TaskResult['error']) : undefined,
        },
      ];
    })
    .sort((a, b) => (a.task < b.task ? -1 : 1));
}

/** Metadata of the partitions that the tasks have materialized, or that count as such because none settled them. */
export async function readMaterialized(
  engine: Engine,
  { runId, asset, parts }: Pick<Attempt, 'runId' | 'asset' | 'parts'>,
): Promise<Map<string, Metadata>> {
  const made = new Map<string, Metadata>();
  if (parts.length === 0) return made;
  const records = await engine.redis.hmget(engine.keys.runParts(runId), ...parts.map(([key]) => `${asset}|${key}`));
  parts.forEach(([key], i) => {
    const record = JSON.parse(records[i] || '{"o":"materialized"}') as { o: string; m?: Metadata; from?: string };
    // What was taken over from an earlier run passed its checks there.
    if (record.o === 'materialized' && record.from === undefined) made.set(key, record.m ?? {});
  });
  return made;
}
