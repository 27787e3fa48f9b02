import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

import react from '@vitejs/plugin-react';
import { type Plugin, defineConfig } from 'vite';

/** The server that `vite` passes API requests on to while one works on the dashboard. */
const api = process.env.SKEIN_SERVER ?? 'http://127.0.0.1:3070';

/** Smaller ones fit into one packet anyway. */
const COMPRESS_FROM_BYTES = 1_400;

/** Each file beside itself as brotli and gzip make it, once, as small as they can: the server sends what is asked for. */
const compressed: Plugin = {
  name: 'compressed',
  apply: 'build',
  writeBundle({ dir = '' }) {
    for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
      if (!/\.(js|css|html|svg)$/.test(name)) continue;
      const file = path.join(dir, name);
      const content = readFileSync(file);
      if (content.length < COMPRESS_FROM_BYTES) continue;
      writeFileSync(`${file}.br`, brotliCompressSync(content));
      writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
    }
  },
};

export default defineConfig(({ command }) => {
  // A build that a test runner starts inherits its NODE_ENV, and would ship React's development code.
  if (command === 'build') process.env.NODE_ENV = 'production';
  return {
    plugins: [react(), compressed],
    build: {
      target: 'es2022',
      // Read by the test of the budgets.
      manifest: true,
      // The policy of the server allows no `data:` scripts and no inline ones.
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
      // What every page needs first is one file: a dozen small ones would queue for the few connections of a browser.
      rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'base', tags: ['$initial'] }] } } },
    },
    server: { proxy: { '/api': api } },
  };
});
