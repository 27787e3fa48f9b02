/** Results of reconciliation runs, team by team, out of the runs' partitions. Pure. */

import type { Metadata, RunDetail } from '@skein/orchestrator';

import { teamDays } from '../team-days.ts';
import { listOf } from './discover-teams.ts';

export interface TeamOutcome {
  readonly team_id: number;
  readonly status: 'success' | 'failed';
  readonly error: string;
  readonly run_id: string;
  readonly step_key: string;
  readonly persons_processed: number;
  readonly persons_updated: number;
  readonly persons_skipped: number;
}

export interface RunOutcomes {
  readonly id: string;
  readonly status: string;
  readonly createdAt: Date;
  readonly range: string;
  readonly teams: readonly TeamOutcome[];
}

const ENDED: readonly string[] = ['SUCCESS', 'FAILURE', 'CANCELED'];

/** Partitions without an outcome count as failed once the run has ended: their task died or was cancelled. */
export function outcomesOf(run: RunDetail): RunOutcomes {
  const teams = run.partitions.flatMap((partition): TeamOutcome[] => {
    if (partition.outcome === null && !ENDED.includes(run.status)) return [];
    const failed = partition.outcome === null || partition.outcome === 'failed';
    const died = run.error?.message ?? `the run ended as ${run.status} before the team was done`;
    return [
      {
        team_id: teamDays.parse(partition.key).id,
        status: failed ? 'failed' : 'success',
        error: failed ? (partition.error?.message ?? died) : '',
        run_id: run.id,
        step_key: `reconcile_team_chunk[${partition.key}]`,
        persons_processed: numberOf(partition.metadata, 'persons_processed'),
        persons_updated: numberOf(partition.metadata, 'persons_updated'),
        persons_skipped: numberOf(partition.metadata, 'persons_skipped'),
      },
    ];
  });
  const range = run.tags.reconciliation_range ?? run.tags.reconciliation_team_ids_range ?? 'N/A';
  return { id: run.id, status: run.status, createdAt: run.createdAt, range, teams };
}

function numberOf(metadata: Metadata, name: string): number {
  const value = metadata[name];
  return typeof value === 'number' ? value : 0;
}

/** @param runs newest first: the first result of a team counts; ascending by team */
export function latestByTeam(runs: readonly RunOutcomes[]): TeamOutcome[] {
  const latest = new Map<number, TeamOutcome>();
  for (const run of runs) for (const team of run.teams) if (!latest.has(team.team_id)) latest.set(team.team_id, team);
  return [...latest.values()].sort((a, b) => a.team_id - b.team_id);
}

export function totalsOf(runs: readonly RunOutcomes[], teams: readonly TeamOutcome[]) {
  const sum = (name: 'persons_processed' | 'persons_updated' | 'persons_skipped') =>
    teams.reduce((total, team) => total + team[name], 0);
  const failed = teams.filter((team) => team.status === 'failed').map((team) => team.team_id);
  return {
    runs_analyzed: runs.length,
    raw_teams_count: runs.reduce((total, run) => total + run.teams.length, 0),
    teams_count: teams.length,
    teams_succeeded: teams.length - failed.length,
    teams_failed: failed.length,
    persons_processed: sum('persons_processed'),
    persons_updated: sum('persons_updated'),
    persons_skipped: sum('persons_skipped'),
    failed_team_ids: failed,
  };
}

export function reportLines(runs: readonly RunOutcomes[], teams: readonly TeamOutcome[], verbose: boolean): string[] {
  const totals = totalsOf(runs, teams);
  const lines = [
    `Runs analyzed: ${totals.runs_analyzed} (team results in all: ${totals.raw_teams_count})`,
    `Unique teams processed: ${totals.teams_count}`,
    `Succeeded: ${totals.teams_succeeded}`,
    `Failed: ${totals.teams_failed}`,
    `Persons: processed=${totals.persons_processed}, updated=${totals.persons_updated}, skipped=${totals.persons_skipped}`,
  ];
  if (totals.teams_failed > 0) lines.push(`Failed team ids: ${listOf(totals.failed_team_ids)}`);
  if (!verbose) return lines;
  for (const run of runs) {
    const failed = run.teams.filter((team) => team.status === 'failed').length;
    lines.push(
      `Run ${run.id}: ${run.status}, teams ${run.range}: ${run.teams.length - failed} succeeded, ${failed} failed`,
    );
  }
  for (const team of teams)
    if (team.status === 'failed') lines.push(`Team ${team.team_id} (run ${team.run_id}): ${team.error}`);
  return lines;
}

const COLUMNS = [
  'team_id',
  'status',
  'error',
  'run_id',
  'step_key',
  'persons_processed',
  'persons_updated',
  'persons_skipped',
] as const;

export function toCsv(teams: readonly TeamOutcome[]): string {
  const cell = (value: string | number) => {
    const text = String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const rows = teams.map((team) => COLUMNS.map((column) => cell(team[column])).join(','));
  return `${[COLUMNS.join(','), ...rows].join('\n')}\n`;
}
