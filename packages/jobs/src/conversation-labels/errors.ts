/** Errors of their own kind in this family, with stable codes. */

import { RefusedError, WorkError, registerErrors } from '@skein/orchestrator';

export type MutationTrouble = 'failing' | 'blocked' | 'stalled' | 'slow' | 'unknown' | 'vanished';

/** A delete did not come to its end; ours was killed. Another attempt starts from the affected ids again. */
export class MutationFailedError extends WorkError {
  readonly code = 'LABELS_MUTATION_FAILED';
  readonly trouble: MutationTrouble;
  override readonly retryable: boolean;

  constructor(trouble: MutationTrouble, message: string) {
    super(message, { details: { trouble } });
    this.trouble = trouble;
    this.retryable = trouble === 'unknown' || trouble === 'vanished';
  }
}

/** Another run labels this customer. */
export class CustomerHeldError extends RefusedError {}

/** Rows are not what they must be before or after a step; nothing is hidden by going on. */
export class LabelsDisagreeError extends WorkError {
  readonly code = 'LABELS_DISAGREE';
}

export const LABEL_ERRORS: Readonly<Record<string, string>> = {
  LABELS_MUTATION_FAILED:
    'A delete of label rows failed, stalled, was blocked by a foreign mutation, or could not be confirmed on every replica; ours was killed.',
  LABELS_DISAGREE:
    'Label rows do not agree with what was written or with the source; the message names the numbers and the rows.',
};

registerErrors(LABEL_ERRORS);
