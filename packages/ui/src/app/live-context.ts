import { createContext, use, useSyncExternalStore } from 'react';

import type { Live, LiveState } from '../api/live.ts';

const STILL: Live = { state: 'connecting', subscribe: () => () => {} };

export const LiveContext = createContext<Live>(STILL);

export function useLiveState(): LiveState {
  const live = use(LiveContext);
  return useSyncExternalStore(live.subscribe, () => live.state);
}
