/**
 * Named points at which a test can have the process killed, so that a crash between any two steps of the way of the
 * data is tried for real. Without the variable they cost one comparison.
 */

const ARMED = process.env.SKEIN_FAILPOINT;

/** The points, in the order in which a run passes them. */
export const FAILPOINTS = [
  'submit.before',
  'submit.after',
  'dispatch.admitted',
  'dispatch.rung',
  'expand.before',
  'expand.after',
  'attempt.begun',
  'attempt.worked',
  'attempt.settled',
  'tick.begun',
  'tick.decided',
  'tick.committed',
] as const;

export type Failpoint = (typeof FAILPOINTS)[number];

let passed = 0;

/** `SKEIN_FAILPOINT=name` or `name:n` kills this process, as `kill -9` does, the first or n-th time it comes by. */
export function failpoint(name: Failpoint): void {
  if (ARMED === undefined) return;
  const [armed, nth = '1'] = ARMED.split(':');
  if (armed === name && ++passed >= Number(nth)) process.kill(process.pid, 'SIGKILL');
}
