/**
 * Checks: tests on an asset's data after it is produced. A failed `error` check fails the partition. Of an asset that
 * fans out they run when all its tasks are settled, for each partition that was materialized.
 */

import type { StepContext } from './context.ts';
import { CheckFailedError } from './errors.ts';
import type { Metadata } from './outcome.ts';

export interface CheckResult {
  readonly passed: boolean;
  /** One sentence with the numbers that were compared. */
  readonly description: string;
  readonly metadata?: Metadata;
}

export interface Check<P, C, R> {
  readonly name: string;
  readonly description: string;
  readonly severity: 'warn' | 'error';
  run(context: StepContext<P, C, R> & { readonly partition: P; readonly metadata: Metadata }): Promise<CheckResult>;
}

/** Runs all of one partition, tells of each as an event. @throws CheckFailedError at the first of severity `error` that fails */
export async function runChecks<P, C, R>(
  checks: readonly Check<P, C, R>[],
  context: StepContext<P, C, R> & { readonly partition: P; readonly partitionKey: string },
  metadata: Metadata,
): Promise<void> {
  for (const check of checks) {
    const { passed, description } = await check.run({ ...context, metadata });
    const { name, severity } = check;
    context.event('check.evaluated', { check: name, key: context.partitionKey, passed, severity, description });
    if (!passed && severity === 'error') throw new CheckFailedError(`Check ${name} failed: ${description}`);
  }
}

export function defineCheck<P, C, R>(check: Check<P, C, R>): Check<P, C, R> {
  return check;
}
