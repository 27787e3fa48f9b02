/** What a check of `skein doctor` says: sound, worth knowing, or wrong with its fix. */

export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'notice' | 'problem';
  readonly message: string;
  /** What to do about it. */
  readonly fix: string | null;
}

export const ok = (check: string, message: string): Finding => ({ check, state: 'ok', message, fix: null });
export const notice = (check: string, message: string, fix: string | null = null): Finding => ({
  check,
  state: 'notice',
  message,
  fix,
});
export const problem = (check: string, message: string, fix: string): Finding => ({
  check,
  state: 'problem',
  message,
  fix,
});
