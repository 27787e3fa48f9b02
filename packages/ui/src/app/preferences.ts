/**
 * What one person prefers on this browser: the time zone of times. Kept in local storage, shared by all tabs; `tz` in the
 * address, which copied links hold, goes before it. And the zone of the partitions that the page is about.
 */

import { useSearch } from '@tanstack/react-router';
import { useEffect, useSyncExternalStore } from 'react';

import type { Clock } from '../parts/time.ts';

export const CLOCKS = ['utc', 'local', 'partition'] as const;
export type ClockChoice = (typeof CLOCKS)[number];

const KEY = 'skein.clock';
const NO_ZONE = 'UTC';
const listeners = new Set<() => void>();
let pageZone = NO_ZONE;

function read(): ClockChoice {
  try {
    const kept = localStorage.getItem(KEY);
    return CLOCKS.find((choice) => choice === kept) ?? 'utc';
  } catch {
    return 'utc';
  }
}

export function setClock(clock: ClockChoice): void {
  try {
    localStorage.setItem(KEY, clock);
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
  tell();
}

function tell(): void {
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

export function useClockChoice(): ClockChoice {
  const kept = useSyncExternalStore(subscribe, read);
  return useSearch({ from: '__root__', select: ({ tz }) => tz }) ?? kept;
}

export function useClock(): Clock {
  const choice = useClockChoice();
  const zone = usePageZone();
  if (choice !== 'partition') return choice;
  return zone === NO_ZONE ? 'utc' : zone;
}

/** Of the asset that the page is about; UTC on other pages. */
export function usePageZone(): string {
  return useSyncExternalStore(subscribe, () => pageZone);
}

/** For the page of an asset. @param zone undefined as long as it is not known */
export function useZoneOfPage(zone: string | undefined): void {
  useEffect(() => {
    pageZone = zone ?? NO_ZONE;
    tell();
    return () => {
      pageZone = NO_ZONE;
      tell();
    };
  }, [zone]);
}
