/** Whether the session is known to be over: set by the first refusal, cleared by a sign-in. What is on the page stays. */

import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();
let signedOut = false;

function set(value: boolean): void {
  if (signedOut === value) return;
  signedOut = value;
  for (const listener of listeners) listener();
}

export const signalSignedOut = () => set(true);
export const signalSignedIn = () => set(false);

export function useSignedOut(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    () => signedOut,
  );
}
