/**
 * Errors that reach nobody, in processes that stay: a promise that nobody waited for, a throw out of a timer. Node would
 * print them with whatever secrets their text holds, and end the process; one run's mistake would cost all its neighbours.
 */

import type { Logger } from '../definitions/context.ts';

export function catchStrayErrors(log: Logger): void {
  // Whoever made the promise has gone on without it: so can the process.
  process.on('unhandledRejection', (reason) => log.error('a promise failed that nobody waited for', about(reason)));
  // Code was left in the middle of something: nothing in this process can be trusted. What it did is another's to redo.
  process.on('uncaughtException', (error) => {
    log.error('an error reached nobody; the process ends', about(error));
    process.exit(1);
  });
}

function about(thrown: unknown): { readonly error: string } {
  return { error: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) };
}
