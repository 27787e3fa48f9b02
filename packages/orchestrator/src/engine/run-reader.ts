/** Counts of runs for sensors, over the indexes that the scripts keep. */

import type { RunReader } from '../definitions/sensor.ts';
import type { Engine } from './engine.ts';

type Filter = Parameters<RunReader['countActive']>[0];

/** The ledger's indexes of runs that have not ended. */
const OPEN = ['QUEUED', 'ACTIVE'] as const;

export function createRunReader(engine: Engine): RunReader {
  const matching = async (ids: readonly string[], filter: Filter): Promise<string[]> => {
    const wanted = Object.entries(filter.tags ?? {});
    if (wanted.length === 0 && filter.job === undefined) return [...ids];
    const pipeline = engine.redis.pipeline();
    for (const id of ids) pipeline.hmget(engine.keys.run(id), 'tags', 'job');
    const replies =
      ids.length === 0 ? [] : ((await pipeline.exec()) ?? []).map(([, reply]) => reply as (string | null)[]);
    return ids.filter((_id, i) => {
      const [tagsText, job] = replies[i] ?? [];
      const tags = JSON.parse(tagsText ?? '{}') as Record<string, string>;
      return (filter.job === undefined || filter.job === job) && wanted.every(([name, value]) => tags[name] === value);
    });
  };
  const hasTags = (filter: Filter) => Object.keys(filter.tags ?? {}).length > 0;
  const idsWith = async (statuses: readonly string[]) =>
    (
      await Promise.all(statuses.map((status) => engine.redis.zrange(engine.keys.runsByStatus(status), 0, '-1')))
    ).flat();
  return {
    async countActive(filter) {
      if (filter.job !== undefined && !hasTags(filter)) return engine.redis.scard(engine.keys.openRuns(filter.job));
      if (filter.job !== undefined)
        return (await matching(await engine.redis.smembers(engine.keys.openRuns(filter.job)), filter)).length;
      return (await matching(await idsWith(OPEN), filter)).length;
    },
    async countEnded(filter) {
      const [succeeded, failed] = await Promise.all([
        matching(await idsWith(['SUCCESS']), filter),
        matching(await idsWith(['FAILURE', 'CANCELED']), filter),
      ]);
      return { succeeded: succeeded.length, failed: failed.length };
    },
  };
}
