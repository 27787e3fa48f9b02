/** Results of a run's tasks, read when all of them have ended, for `settle`. */

import type { TaskResult } from '../../definitions/asset.ts';
import type { Json } from '../../definitions/json.ts';
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
