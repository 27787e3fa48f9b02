/**
 * Limits of runs at once: of a job, and of all runs that carry a tag. Pure: which limits a run is under follows from its
 * job and its tags; the ledger keeps who holds their slots.
 */

import type { Job } from './job.ts';

export interface TagLimit {
  readonly tag: string;
  /** Only runs whose tag has this value; absent: any value. */
  readonly value?: string;
  /** Each value of the tag has slots of its own. */
  readonly perValue?: boolean;
  /** Runs at once. */
  readonly limit: number;
}

/** A slot that a run needs, and the rule that says how many runs may hold it. */
export type RunLimit = readonly [slot: string, rule: string];

/** A rule has the name of its slot, but where each value of a tag has one. */
export const jobRule = (job: string) => `job:${job}`;
export const tagRule = ({ tag, value, perValue }: TagLimit) =>
  `tag:${tag}${value === undefined ? (perValue === true ? '=*' : '') : `=${value}`}`;

export function limitsOf(
  job: Job,
  tags: Readonly<Record<string, string>>,
  tagLimits: readonly TagLimit[],
): readonly RunLimit[] {
  const ofTags = tagLimits.flatMap((limit): RunLimit[] => {
    const value = tags[limit.tag];
    if (value === undefined || (limit.value !== undefined && limit.value !== value)) return [];
    const each = limit.value !== undefined || limit.perValue === true;
    return [[`tag:${limit.tag}${each ? `=${value}` : ''}`, tagRule(limit)]];
  });
  return [...(job.maxActiveRuns === undefined ? [] : [[jobRule(job.name), jobRule(job.name)] as const]), ...ofTags];
}

/** The number of each rule. */
export function limitRules(jobs: Iterable<Job>, tagLimits: readonly TagLimit[]): Readonly<Record<string, number>> {
  const ofJobs = [...jobs].flatMap((job) =>
    job.maxActiveRuns === undefined ? [] : [[jobRule(job.name), job.maxActiveRuns] as const],
  );
  return Object.fromEntries([...ofJobs, ...tagLimits.map((limit) => [tagRule(limit), limit.limit] as const)]);
}

/** What is wrong with them, in words. */
export function tagLimitProblems(tagLimits: readonly TagLimit[]): string[] {
  const seen = new Set<string>();
  return tagLimits.flatMap((limit) => {
    const rule = tagRule(limit);
    const problems = [
      ...(limit.tag === '' || /[=\s]/.test(limit.tag) ? [`the tag “${limit.tag}” of a limit is not a name`] : []),
      ...(Number.isInteger(limit.limit) && limit.limit >= 1
        ? []
        : [`the limit of the tag “${limit.tag}” is ${limit.limit}: give a whole number from 1`]),
      ...(limit.value !== undefined && limit.perValue === true
        ? [`the limit of the tag “${limit.tag}” is for one value and for each: say one of them`]
        : []),
      ...(seen.has(rule) ? [`two limits are for the same runs of the tag “${limit.tag}”`] : []),
    ];
    seen.add(rule);
    return problems;
  });
}
