/** The run that one compares with: the last success of the same partition before it, else of the same job. */

import { type RunWithPartitions, getRun, listRuns } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';

const quote = (value: string) => `"${value.replaceAll(/["\\]/g, '\\$&')}"`;

export function useLastSuccess(run: RunWithPartitions | undefined, isWanted = true) {
  const isAsked = isWanted && run !== undefined;
  const of = run === undefined ? '' : `job:${quote(run.job)} status:success before:${quote(run.created_at)}`;
  const key = run?.first_partition ?? null;
  const same = useApi(
    listRuns,
    { q: `${of} partition:${quote(key ?? '')}`, limit: 1 },
    { enabled: isAsked && key !== null },
  );
  const hasSame = (same.data?.items.length ?? 0) > 0;
  const isNone = key === null || (same.data !== undefined && !hasSame);
  const any = useApi(listRuns, { q: of, limit: 1 }, { enabled: isAsked && isNone });
  const id = same.data?.items[0]?.id ?? any.data?.items[0]?.id;
  const found = useApi(getRun, { id: id ?? '' }, { enabled: id !== undefined });
  return {
    id,
    run: found.data,
    isSamePartition: hasSame,
    /** Asked, and nothing was found. */
    isNone: isAsked && isNone && any.data !== undefined && id === undefined,
  };
}
