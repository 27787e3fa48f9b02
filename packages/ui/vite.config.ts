import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The server that `vite` passes API requests on to while one works on the dashboard. */
const api = process.env.SKEIN_SERVER ?? 'http://127.0.0.1:3070';

export default defineConfig(({ command }) => {
  // A build that a test runner starts inherits its NODE_ENV, and would ship React's development code.
  if (command === 'build') process.env.NODE_ENV = 'production';
  return {
    plugins: [react()],
    build: {
      target: 'es2022',
      // Read by the test of the budgets.
      manifest: true,
      // The policy of the server allows no `data:` scripts and no inline ones.
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
    },
    server: { proxy: { '/api': api } },
  };
});
