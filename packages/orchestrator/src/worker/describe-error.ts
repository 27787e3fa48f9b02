/** The boundary round user code: whatever it throws becomes a code, a message for people, a reason and a verdict on retrying. */

import { ZodError } from 'zod';

import { type EndReason, SkeinError } from '../definitions/errors.ts';

export interface DescribedError {
  readonly code: string;
  readonly message: string;
  readonly reason: EndReason;
  readonly retryable: boolean;
}

const MAX_MESSAGE = 4_000;

export function describeError(error: unknown, scrub: (text: string) => string): DescribedError {
  const known = error instanceof SkeinError ? error : undefined;
  const text = error instanceof Error ? error.message || error.name : String(error);
  const hint = known?.hint === undefined ? '' : ` ${known.hint}`;
  const message = scrub(`${text}${hint}`).slice(0, MAX_MESSAGE);
  if (known) return { code: known.code, message, reason: known.reason, retryable: known.retryable };
  if (error instanceof ZodError) return { code: 'CONFIG_INVALID', message, reason: 'config_invalid', retryable: false };
  // Code that fails in a way nobody foresaw may succeed the next time: the asset's policy decides.
  return { code: 'ASSET_FAILED', message, reason: 'user_error', retryable: true };
}
