/** The result of a run: the chunks' results added up. Teams whose task died are listed as failed, too. */

import type { Metadata, TaskResult } from '@skein/orchestrator';

import { ChunkResult, emptyChunk } from './reconcile-chunk.ts';

/** Teams that a run's result tells about one by one. */
const MAX_TEAM_RESULTS = 500;

export function sumUp(results: readonly TaskResult[], teams: readonly number[], dryRun: boolean): Metadata {
  const total = emptyChunk();
  for (const { result } of results) {
    const parsed = ChunkResult.safeParse(result);
    if (!parsed.success) continue;
    const chunk = parsed.data;
    total.team_ids.push(...chunk.team_ids);
    total.teams_succeeded += chunk.teams_succeeded;
    total.persons_processed += chunk.persons_processed;
    total.persons_updated += chunk.persons_updated;
    total.persons_skipped += chunk.persons_skipped;
    total.persons_would_be_updated += chunk.persons_would_be_updated;
    total.persons_republished += chunk.persons_republished;
    total.failed_team_ids.push(...chunk.failed_team_ids);
    total.teams_results.push(...chunk.teams_results);
  }
  const told = new Set(total.team_ids);
  const died = teams.filter((id) => !told.has(id));
  const failedIds = [...total.failed_team_ids, ...died].sort((a, b) => a - b);
  const { persons_would_be_updated: wouldBeUpdated, ...rest } = total;
  return {
    ...rest,
    team_ids: [...told, ...died].sort((a, b) => a - b),
    teams_count: told.size + died.length,
    teams_failed: failedIds.length,
    failed_team_ids: failedIds,
    teams_results: total.teams_results.slice(0, MAX_TEAM_RESULTS),
    ...(dryRun ? { persons_would_be_updated: wouldBeUpdated } : {}),
  };
}
