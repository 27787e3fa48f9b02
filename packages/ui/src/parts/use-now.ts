import { useSyncExternalStore } from 'react';

/** One clock for all that counts seconds, so that a page of a hundred ages has one timer. */
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = Date.now();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const one of listeners) one();
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

const never = () => () => {};

/** @param everyMs 0 stands still */
export function useNow(everyMs: number): number {
  return useSyncExternalStore(everyMs > 0 ? subscribe : never, () => now);
}
