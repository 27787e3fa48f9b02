import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The server names of `npm run dev`; the API is expected at SKEIN_SERVER. */
const api = process.env.SKEIN_SERVER ?? 'http://127.0.0.1:3070';

export default defineConfig({
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
});
