/**
 * What the results of our job families hold, read by their shape and not by a job's name: a job of one's own that
 * records the same gets the same view. Pure.
 */

type Facts = Readonly<Record<string, unknown>>;

export interface TeamResult {
  readonly team: number;
  readonly status: string;
  readonly processed: number;
  readonly updated: number;
  readonly skipped: number;
  readonly error: string | undefined;
}

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);
const listOf = (value: unknown): readonly Facts[] =>
  Array.isArray(value) ? value.filter((one): one is Facts => typeof one === 'object' && one !== null) : [];

/** Of a reconciliation: each team, those that failed first. */
export function teamsOf(result: Facts): readonly TeamResult[] {
  return listOf(result.teams_results)
    .filter((one) => typeof one.team_id === 'number')
    .map((one) => ({
      team: numberOf(one.team_id),
      status: String(one.status),
      processed: numberOf(one.persons_processed),
      updated: numberOf(one.persons_updated),
      skipped: numberOf(one.persons_skipped),
      error: typeof one.error === 'string' ? one.error : undefined,
    }))
    .sort((a, b) => Number(b.status === 'failed') - Number(a.status === 'failed') || a.team - b.team);
}

export const failedTeamsOf = (result: Facts): readonly number[] =>
  Array.isArray(result.failed_team_ids)
    ? result.failed_team_ids.filter((one): one is number => typeof one === 'number')
    : [];

export interface Bar {
  readonly name: string;
  readonly count: number;
}

const ORPHANS: readonly (readonly [string, string])[] = [
  ['persons_with_pg_distinct_ids', 'repaired: PostgreSQL knows distinct ids'],
  ['persons_found_on_writer', 'only late: the writer knows them'],
  ['persons_truly_orphaned', 'in PostgreSQL, without distinct ids'],
  ['persons_ch_only', 'only in ClickHouse'],
];

/** Of an orphan sync: what each orphan turned out to be. */
export function orphanCategoriesOf(result: Facts): readonly Bar[] {
  if (typeof result.total_orphaned_persons !== 'number') return [];
  return ORPHANS.filter(([field]) => typeof result[field] === 'number').map(([field, name]) => ({
    name,
    count: numberOf(result[field]),
  }));
}

const RAW: readonly (readonly [string, string])[] = [
  ['total_events_found', 'found'],
  ['total_events_published', 'published'],
  ['total_events_dropped', 'dropped'],
  ['total_transformation_errors', 'not understood'],
  ['total_events_failed', 'not delivered'],
];

export function rawCountersOf(result: Facts): readonly Bar[] {
  if (typeof result.total_events_found !== 'number') return [];
  return RAW.map(([field, name]) => ({ name, count: numberOf(result[field]) }));
}

export interface DropReason extends Bar {
  readonly examples: readonly string[];
}

/** The most frequent first, each with ids to look at. */
export function dropReasonsOf(result: Facts): readonly DropReason[] {
  const reasons = result.drop_reasons as Facts | undefined;
  const examples = (result.drop_examples ?? {}) as Facts;
  if (typeof reasons !== 'object' || reasons === null) return [];
  return Object.entries(reasons)
    .map(([name, count]) => ({
      name,
      count: numberOf(count),
      examples: Array.isArray(examples[name]) ? examples[name].map(String) : [],
    }))
    .sort((a, b) => b.count - a.count);
}

interface Usecase {
  readonly name: string;
  readonly before: number;
  readonly after: number;
  readonly source: number;
}

export interface Verification {
  readonly passed: boolean;
  readonly points: readonly { readonly name: string; readonly passed: boolean; readonly description: string }[];
  readonly usecases: readonly Usecase[];
  readonly activeDays: Omit<Usecase, 'name'> | undefined;
}

/** Of conversation labels: what was checked after the swap. */
export function verificationsOf(result: Facts): readonly Verification[] {
  return listOf(result.verification).map((one) => {
    const days = one.active_days as Facts | undefined;
    return {
      passed: one.passed === true,
      points: listOf(one.points).map((point) => ({
        name: String(point.name),
        passed: point.passed === true,
        description: String(point.description ?? ''),
      })),
      usecases: listOf(one.usecases).map((usecase) => ({ name: String(usecase.usecase), ...sidesOf(usecase) })),
      activeDays: days === undefined ? undefined : sidesOf(days),
    };
  });
}

const sidesOf = (facts: Facts) => ({
  before: numberOf(facts.before),
  after: numberOf(facts.after),
  source: numberOf(facts.source),
});

/** Whether the result has a view of its own; otherwise its shapes are drawn as they are. */
export const hasView = (result: Facts): boolean =>
  [teamsOf(result), orphanCategoriesOf(result), rawCountersOf(result), verificationsOf(result)].some(
    (part) => part.length > 0,
  );

export interface SampleDiff {
  readonly person: string;
  readonly changes: readonly { readonly key: string; readonly operation: string; readonly value: string | null }[];
}

/** Of a dry run of one team: persons that would be changed, and how. */
export function sampleOf(metadata: Facts): readonly SampleDiff[] {
  return listOf(metadata.sample).map((one) => ({
    person: String(one.person_id),
    changes: listOf(one.changes).map((change) => ({
      key: String(change.key),
      operation: String(change.operation),
      value: change.value === null || change.value === undefined ? null : String(change.value),
    })),
  }));
}
