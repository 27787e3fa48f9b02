/** Checks: tests on an asset's data after it is produced. A failed `error` check fails the partition. */

import type { StepContext } from './context.ts';
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

export function defineCheck<P, C, R>(check: Check<P, C, R>): Check<P, C, R> {
  return check;
}
