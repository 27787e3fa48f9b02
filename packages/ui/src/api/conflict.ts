import { ApiError } from './operation.ts';

/** What is there now, of a change that built on a version which is not the current one any more. */
export interface Conflicting<T> {
  readonly version: number;
  readonly current: T;
}

/** Undefined for every other error. */
export function conflictOf<T>(error: unknown): Conflicting<T> | undefined {
  if (!(error instanceof ApiError) || (error.problem.status !== 412 && error.problem.status !== 409)) return undefined;
  const { current_version: version, current } = error.problem;
  return version === undefined ? undefined : { version, current: current as T };
}

/** As `If-Match` wants it. */
export const etag = (version: number) => `"${version}"`;
