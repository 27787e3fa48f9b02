/**
 * Named points at which a test can have the process killed, so that a crash between any two steps of the way of the
 * data is tried for real. Without the variable they cost one comparison.
 */

const ARMED = process.env.SKEIN_FAILPOINT;

/** The points, in the order in which a run passes them. */
export const FAILPOINTS = [
  'register.before',
  'register.after',
  'submit.before',
  'submit.written',
  'submit.rung',
  'submit.after',
  'dispatch.admitted',
  'dispatch.rung',
  'resend.written',
  'expand.before',
  'expand.after',
  'expire.before',
  'expire.after',
  'attempt.taken',
  'attempt.begun',
  'renew.before',
  'renew.after',
  'checkpoint.before',
  'checkpoint.after',
  'partition.before',
  'partition.after',
  'attempt.worked',
  'attempt.settled',
  'attempt.failing',
  'attempt.failed',
  'attempt.cancelling',
  'attempt.cancelled',
  'probes.claimed',
  'ticks.claimed',
  'ticks.rung',
  'tick.taken',
  'tick.begun',
  'tick.decided',
  'tick.committed',
  'tick.failing',
  'tick.failed',
  'cursor.before',
  'cursor.after',
  'cancel.before',
  'cancel.after',
  'backfill.before',
  'backfill.after',
] as const;

export type Failpoint = (typeof FAILPOINTS)[number];

let passed = 0;

/** `SKEIN_FAILPOINT=name` or `name:n` kills this process, as `kill -9` does, the first or n-th time it comes by. */
export function failpoint(name: Failpoint): void {
  if (ARMED === undefined) return;
  const [armed, nth = '1'] = ARMED.split(':');
  if (armed === name && ++passed >= Number(nth)) process.kill(process.pid, 'SIGKILL');
}
