/** What one person prefers on this browser: the time zone of times. Kept in local storage, shared by all tabs. */

import { useSyncExternalStore } from 'react';

import type { Clock } from '../parts/time.ts';

const KEY = 'skein.clock';
const listeners = new Set<() => void>();

function read(): Clock {
  try {
    return localStorage.getItem(KEY) === 'local' ? 'local' : 'utc';
  } catch {
    return 'utc';
  }
}

export function setClock(clock: Clock): void {
  try {
    localStorage.setItem(KEY, clock);
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener('storage', listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('storage', listener);
  };
}

export function useClock(): Clock {
  return useSyncExternalStore(subscribe, read);
}
