/**
 * Verification: eight points, each passed or failed with its numbers, over every row of the affected conversations,
 * wherever it lies, and against what PostgreSQL says now. What fails names rows. Reads only, except for one table of its
 * own with the source's rows, which the caller drops.
 */

import type { Json } from '@skein/orchestrator';

import { type ActiveDaysCell, activeDay, activeDaysCells } from './active-days.ts';
import { type Databases, refreshStrays } from './affected.ts';
import { copyToClickHouse } from './copy-stream.ts';
import { type DamagedRow, type ShownRow, describeDamage } from './damage.ts';
import { CREATE_EXPECTED, LABEL_COLUMNS, type Statement, drop } from './label-sql.ts';
import { type Before, type Operation, placeOf } from './operation.ts';
import { type Place, namesOf } from './place.ts';
import { copyRows } from './source-sql.ts';
import { type ReplicaCount, replicasAgree, withinTolerance } from './verdicts.ts';
import {
  CLUSTER_REPLICAS,
  DAMAGE_KINDS,
  type DamageCounts,
  type DamageKind,
  countByDay,
  countByUsecaseOnBothSides,
  countDamage,
  countEpochEnds,
  countFinal,
  countReplicas,
  showRows,
} from './verification-sql.ts';
import { pollMutations } from './wait-mutation.ts';
import { describeFacts } from './mutations.ts';

export interface VerifyOptions {
  /** Percent that counts (points 4 and 5) may differ; rows may never. Default 0. */
  readonly tolerancePercent?: number;
  readonly excludeIngestion?: boolean;
}

interface Point {
  readonly name: string;
  readonly passed: boolean;
  /** One sentence with the numbers. */
  readonly description: string;
}

interface UsecaseCount {
  readonly usecase: string;
  readonly before: number | null;
  readonly after: number;
  readonly source: number;
}

export interface Verification {
  readonly passed: boolean;
  readonly points: readonly Point[];
  readonly rows: number;
  readonly conversations: number;
  readonly expected: number;
  readonly damage: Readonly<Record<DamageKind, number>>;
  /** At most 20 of a kind. */
  readonly named: readonly DamagedRow[];
  readonly usecases: readonly UsecaseCount[];
  readonly activeDays: { readonly before: number | null; readonly after: number; readonly source: number };
}

/** The source's rows of the affected conversations, as the last step before anything is compared. */
async function loadExpected({ db, clickhouse, signal }: Databases, operation: Operation): Promise<number> {
  const names = namesOf(placeOf(operation));
  await clickhouse.command(drop(names.expected), { signal });
  await clickhouse.command(CREATE_EXPECTED(names), { signal });
  return copyToClickHouse({
    db,
    clickhouse,
    sql: copyRows(operation.id, { selection: operation.state.selection, unit: false, withClock: false }),
    customerId: operation.customerId,
    clockMs: operation.state.clockMs,
    table: names.expected,
    columns: LABEL_COLUMNS.filter((column) => column !== 'update_time'),
    signal,
  });
}

/** The operation's affected ids must be recorded. */
export async function verify(
  databases: Databases,
  operation: Operation,
  options: VerifyOptions = {},
): Promise<Verification> {
  const { clickhouse, signal } = databases;
  const place = placeOf(operation);
  const { before, selection } = operation.state;
  await refreshStrays(databases, operation);
  await loadExpected(databases, operation);
  const ask = <T>(statement: Statement) =>
    clickhouse.rows<T>(statement.sql, { params: statement.params, settings: SETTINGS, signal });

  const mutations = await noUnfinishedMutation(databases, place);
  const [damage] = await ask<DamageCounts>(countDamage(place));
  const [final] = await ask<{ rows: string; conversations: string }>(countFinal(place));
  if (!damage || !final) throw new TypeError('an aggregate without a row');
  const found = describeDamage(damage, await namedRows(ask, place, damage));
  const days = await ask<SideCount>(
    countByDay(place, selection === 'ended_at' ? 'conversation_end_time' : 'conversation_start_time'),
  );
  const usecases = mergeUsecases(await ask<SideCount>(countByUsecaseOnBothSides(place)), before);
  const cells = await ask<ActiveDaysCell>(
    activeDaysCells(place, { excludeIngestion: options.excludeIngestion ?? false }),
  );
  const epochs =
    selection === 'ended_at'
      ? (await ask<{ rows: string; ids: readonly (readonly [string, string])[] }>(countEpochEnds(place)))[0]
      : undefined;

  const [live, source] = [
    cells.filter((c) => activeDay(Number(c.total), Number(c.active)) === '1').length,
    cells.filter((c) => activeDay(Number(c.total), Number(c.expected)) === '1').length,
  ];
  const points: Point[] = [
    mutations,
    noDuplicates(damage, final),
    rowsAgree(damage, found),
    countsAgree(
      'days',
      'rows per day',
      days.map((d) => ({ name: d.name, labels: Number(d.labels), source: Number(d.source) })),
      options,
    ),
    countsAgree(
      'usecases',
      'rows per usecase',
      usecases.map((u) => ({ name: u.usecase || '(none)', labels: u.after, source: u.source })),
      options,
    ),
    activeDaysAgree(cells, live, source),
    await replicasEqual(databases, place),
    noEpochEnds(epochs),
  ];
  return {
    passed: points.every((point) => point.passed),
    points,
    rows: Number(damage.rows),
    conversations: Number(damage.conversations),
    expected: Number(damage.expected),
    damage: Object.fromEntries(DAMAGE_KINDS.map((kind) => [kind, Number(damage[`${kind}_count`])])) as Record<
      DamageKind,
      number
    >,
    named: found,
    usecases,
    activeDays: { before: before?.activeDays ?? null, after: live, source },
  };
}

/** What two sides of 1.5 million conversations need, and no more: beyond it the server spills to disk. */
const SETTINGS = { max_bytes_before_external_group_by: '1500000000' };

interface SideCount {
  readonly name: string;
  readonly labels: string;
  readonly source: string;
}

async function noUnfinishedMutation({ clickhouse, signal }: Databases, place: Place): Promise<Point> {
  const poll = await pollMutations({ clickhouse, place, signal });
  const open = poll.rows.filter((row) => !row.is_done);
  const silent = poll.expected - poll.answered.size;
  const facts = open.map((row) => ({
    replica: row.replica,
    host: row.host,
    mutation_id: row.mutation_id,
    parts_to_do: Number(row.parts_to_do),
    reason: row.latest_fail_reason,
  }));
  return {
    name: 'mutations',
    passed: open.length === 0 && silent <= 0,
    description: `${open.length} unfinished mutations on ${poll.answered.size} of ${poll.expected} replicas${open.length > 0 ? `: ${describeFacts(facts)}` : ''}.`,
  };
}

function noDuplicates(damage: DamageCounts, final: { rows: string; conversations: string }): Point {
  const raw = Number(damage.rows) - Number(damage.conversations);
  const merged = Number(final.rows) - Number(final.conversations);
  return {
    name: 'duplicates',
    passed: raw === 0 && merged === 0,
    description: `${damage.rows} rows of ${damage.conversations} conversations on all shards (${raw} too many); ${final.rows} rows with FINAL (${merged} too many).`,
  };
}

function rowsAgree(damage: DamageCounts, found: readonly DamagedRow[]): Point {
  const counts = (['missing', 'surplus', 'different'] as const).map(
    (kind) => [kind, Number(damage[`${kind}_count`])] as const,
  );
  const shown = found
    .slice(0, 3)
    .map((row) => row.description)
    .join('; ');
  return {
    name: 'rows',
    passed: counts.every(([, count]) => count === 0),
    description: `${damage.expected} conversations in the source: ${counts.map(([kind, count]) => `${count} ${kind}`).join(', ')}${shown ? `. ${shown}` : ''}.`,
  };
}

function countsAgree(
  name: string,
  what: string,
  counts: readonly { name: string; labels: number; source: number }[],
  options: VerifyOptions,
): Point {
  const off = counts.filter((c) => !withinTolerance(c.labels, c.source, options.tolerancePercent ?? 0));
  const shown = off
    .slice(0, 5)
    .map((c) => `${c.name}: ${c.labels} labels, ${c.source} in the source`)
    .join('; ');
  return {
    name,
    passed: off.length === 0,
    description: `${what}: ${counts.length} compared, ${off.length} differ${shown ? ` (${shown})` : ''}.`,
  };
}

function activeDaysAgree(cells: readonly ActiveDaysCell[], live: number, source: number): Point {
  const off = cells.filter(
    (c) => activeDay(Number(c.total), Number(c.active)) !== activeDay(Number(c.total), Number(c.expected)),
  );
  const shown = off
    .slice(0, 5)
    .map(
      (c) =>
        `${c.agent} on ${c.day}: ${activeDay(Number(c.total), Number(c.active))} instead of ${activeDay(Number(c.total), Number(c.expected))}`,
    )
    .join('; ');
  return {
    name: 'active_days',
    passed: off.length === 0,
    description: `${live} active days by the labels, ${source} by the source, ${off.length} of ${cells.length} cells differ${shown ? ` (${shown})` : ''}.`,
  };
}

function noEpochEnds(found: { rows: string; ids: readonly (readonly [string, string])[] } | undefined): Point {
  if (!found)
    return {
      name: 'epoch_ends',
      passed: true,
      description: 'Open conversations are labelled too (selection created_at), so an end at 1970 is right.',
    };
  const shown = found.ids
    .slice(0, 5)
    .map(([profile, id]) => `${profile}/${id}`)
    .join(', ');
  return {
    name: 'epoch_ends',
    passed: Number(found.rows) === 0,
    description: `${found.rows} rows with the end 1970-01-01${shown ? `: ${shown}` : ''}.`,
  };
}

async function replicasEqual({ clickhouse, signal }: Databases, place: Place): Promise<Point> {
  const { sql, params } = countReplicas(place);
  const counts = await clickhouse.rows<{ replica: number; rows: string }>(sql, { params, signal });
  if (place.cluster === null)
    return {
      name: 'replicas',
      passed: true,
      description: `One server with ${counts[0]?.rows ?? 0} rows; there is no replica to compare.`,
    };
  const replicas = await clickhouse.rows<{ shard_num: number; replica_num: number; host_name: string }>(
    CLUSTER_REPLICAS,
    { params: { cluster: place.cluster }, signal },
  );
  const listed: ReplicaCount[] = replicas.map((r, i) => ({
    shard: r.shard_num,
    host: r.host_name,
    rows: Number(counts.find((c) => c.replica === i + 1)?.rows ?? 0),
  }));
  return { name: 'replicas', ...replicasAgree(listed) };
}

async function namedRows(ask: <T>(statement: Statement) => Promise<T[]>, place: Place, damage: DamageCounts) {
  const ids = DAMAGE_KINDS.flatMap((kind) =>
    damage[`${kind}_ids`].map(([profile_id, conversation_id]) => ({ profile_id, conversation_id })),
  );
  return ids.length === 0 ? [] : ask<ShownRow>(showRows(place, ids));
}

function mergeUsecases(counts: readonly SideCount[], before: Before | undefined): UsecaseCount[] {
  const names = [...new Set([...counts.map((c) => c.name), ...Object.keys(before?.usecases ?? {})])].sort();
  return names.map((usecase) => {
    const count = counts.find((c) => c.name === usecase);
    return {
      usecase,
      before: before ? (before.usecases[usecase] ?? 0) : null,
      after: Number(count?.labels ?? 0),
      source: Number(count?.source ?? 0),
    };
  });
}

/** One sentence: which points failed and why, or that all passed. */
export function summary({ points, rows }: Verification): string {
  const failed = points.filter((point) => !point.passed);
  if (failed.length === 0) return `All eight points pass over ${rows} rows.`;
  return failed.map((point) => `${point.name}: ${point.description}`).join(' ');
}

/** As metadata and as the command's JSON. */
export function asJson(verification: Verification): { readonly [key: string]: Json } {
  return {
    passed: verification.passed,
    points: verification.points.map((p) => ({ name: p.name, passed: p.passed, description: p.description })),
    rows: verification.rows,
    conversations: verification.conversations,
    rows_expected: verification.expected,
    ...Object.fromEntries(DAMAGE_KINDS.map((kind) => [`rows_${kind}`, verification.damage[kind]])),
    named: verification.named.map((row) => ({ ...row })),
    usecases: verification.usecases.map((u) => ({ ...u, difference: u.before === null ? null : u.after - u.before })),
    active_days: { ...verification.activeDays },
  };
}
