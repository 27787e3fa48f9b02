/** Which teams a run is about, when its config does not name them: those with property events in the bug window. */

import type { Logger } from '@skein/orchestrator';

import type { ClickHouse } from '../resources/clickhouse.ts';
import { TEAMS_WITH_PROPERTY_EVENTS } from './clickhouse-sql.ts';
import { type ReconciliationConfig, namedTeams } from './config.ts';

const LARGEST_TEAM_ID = 2_147_483_647;
const QUERY_SECONDS = 1_200;
const SAMPLE = 10;

/** Ascending. Named teams are taken as they are, whether or not ClickHouse has events of them. */
export async function teamsOf(
  config: ReconciliationConfig,
  clickhouse: ClickHouse,
  log: Logger,
  signal: AbortSignal,
): Promise<number[]> {
  const teams = namedTeams(config) ?? (await discoverTeams(config, clickhouse, log, signal));
  log.info(`Found ${teams.length} teams with property events`);
  if (teams.length > 0)
    log.info(`Sample of teams to process: ${listOf(teams.slice(0, SAMPLE))}${teams.length > SAMPLE ? '...' : ''}`);
  return teams;
}

async function discoverTeams(
  config: ReconciliationConfig,
  clickhouse: ClickHouse,
  log: Logger,
  signal: AbortSignal,
): Promise<number[]> {
  log.info(
    `Querying for team_ids with property events between ${config.bug_window_start} and ${config.bug_window_end}${describeFilters(config)}`,
  );
  const rows = await clickhouse.rows<{ id: string }>(TEAMS_WITH_PROPERTY_EVENTS, {
    params: {
      since: config.bug_window_start,
      until: config.bug_window_end,
      lowest: Math.max(1, config.min_team_id ?? 1),
      highest: config.max_team_id ?? LARGEST_TEAM_ID,
    },
    settings: { readonly: '2', max_execution_time: QUERY_SECONDS },
    signal,
  });
  const excluded = new Set(config.exclude_team_ids ?? []);
  const teams = rows.map((row) => Number(row.id)).filter((id) => !excluded.has(id));
  if (teams.length === 0) log.info('No team IDs found with property events in bug window');
  return teams;
}

function describeFilters({
  min_team_id: min,
  max_team_id: max,
  exclude_team_ids: excluded,
}: ReconciliationConfig): string {
  const parts: string[] = [];
  if (min !== null || max !== null) parts.push(`range: ${min ?? 'any'} to ${max ?? 'any'}`);
  if (excluded !== null && excluded.length > 0) parts.push(`excluding: ${listOf(excluded)}`);
  return parts.length > 0 ? ` (${parts.join(', ')})` : '';
}

export interface TeamChunk {
  /** `team_7`, or `teams_7_9`; also the id of its task. */
  readonly key: string;
  readonly teams: readonly number[];
}

/** @param teams ascending; @param size at least one team a chunk, whatever it says */
export function chunkTeams(teams: readonly number[], size: number): TeamChunk[] {
  const step = Math.max(1, size);
  const chunks: TeamChunk[] = [];
  for (let i = 0; i < teams.length; i += step) {
    const part = teams.slice(i, i + step);
    const [first, last] = [part[0], part.at(-1)];
    chunks.push({ key: part.length === 1 ? `team_${first}` : `teams_${first}_${last}`, teams: part });
  }
  return chunks;
}

export function listOf(ids: readonly number[]): string {
  return `[${ids.join(', ')}]`;
}
