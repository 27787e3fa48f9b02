/** The dashboard's entry: the cache, the stream of changes, the theme, the routes. */

import './app/mantine.css';
import './app/styles.css';

import { MantineProvider, localStorageColorSchemeManager } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { startLive } from './api/live.ts';
import { ApiError } from './api/operation.ts';
import { LiveContext } from './app/live-context.ts';
import { createAppRouter } from './app/routes.tsx';
import { signalSignedOut } from './app/session.ts';
import { theme } from './app/theme.ts';

const onError = (error: unknown) => {
  if (error instanceof ApiError && error.problem.status === 401) signalSignedOut();
};

const cache = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    // Whether the machine has a network says nothing about this server; a write that waits for one would surprise.
    mutations: { networkMode: 'always' },
    queries: {
      networkMode: 'always',
      // The stream of changes says when something is old; this only bounds what it may have missed.
      staleTime: 30_000,
      refetchInterval: 60_000,
      retry: (count, error) => error instanceof ApiError && error.problem.status === 0 && count < 2,
    },
  },
});

const RELOADED = 'skein.reloaded';
const RELOAD_AGAIN_MS = 60_000;

// A newer dashboard was deployed: the pages of this one are gone from the server. Drafts outlive a reload.
window.addEventListener('vite:preloadError', (event) => {
  const last = Number(sessionStorage.getItem(RELOADED) ?? 0);
  if (Date.now() - last < RELOAD_AGAIN_MS) return;
  event.preventDefault();
  sessionStorage.setItem(RELOADED, String(Date.now()));
  location.reload();
});

const live = startLive(cache);
const router = createAppRouter(cache);

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <MantineProvider
        theme={theme}
        defaultColorScheme="auto"
        colorSchemeManager={localStorageColorSchemeManager({ key: 'skein.theme' })}
      >
        <Notifications position="bottom-right" limit={4} />
        <QueryClientProvider client={cache}>
          <LiveContext value={live}>
            <RouterProvider router={router} />
          </LiveContext>
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}
