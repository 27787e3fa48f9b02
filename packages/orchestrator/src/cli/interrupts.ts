/**
 * Ctrl-C and SIGTERM. A command that has something to wind up takes the signal; otherwise, and on the second signal, the
 * process ends at once with 130.
 */

export const INTERRUPTED = 130;

export type Signal = 'SIGINT' | 'SIGTERM';

type Taker = (signal: Signal) => void;

export interface Interrupts {
  /** The first signal goes to `taker`; gives what gives it back. */
  take(taker: Taker): () => void;
}

/** Installs the handlers; once a process. */
export function installInterrupts(): Interrupts {
  const takers: Taker[] = [];
  let taken = false;
  const on = (signal: Signal) => {
    const taker = takers.at(-1);
    if (taken || !taker) process.exit(INTERRUPTED);
    taken = true;
    taker(signal);
  };
  process.on('SIGINT', () => on('SIGINT'));
  process.on('SIGTERM', () => on('SIGTERM'));
  return {
    take(taker) {
      takers.push(taker);
      return () => {
        taken = false;
        takers.splice(takers.indexOf(taker), 1);
      };
    },
  };
}

/** Resolves with the first signal. */
export function untilSignal(interrupts: Interrupts): Promise<Signal> {
  return new Promise((resolve) => {
    interrupts.take(resolve);
  });
}
