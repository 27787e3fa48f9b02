/**
 * One file of the process under attack, made once a test file: what it starts from is the sources, in a fifth of the
 * time that loading them one by one takes, so that a thousand kills fit into minutes.
 */

import { copyFileSync, cpSync, mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';

import { build } from 'esbuild';

const ROOT = path.resolve(__dirname, '../..');
export const NODE_MODULES = path.join(ROOT, 'node_modules');
const SOURCES = path.join(ROOT, 'packages/orchestrator/src');

/** @returns the file to start. DuckDB and the Kafka client stay where they are, with their binaries */
export async function bundleProcess(folder: string, entry = path.join(__dirname, 'process.ts')): Promise<string> {
  const file = path.join(folder, 'process', 'main.cjs');
  mkdirSync(path.dirname(file), { recursive: true });
  await build({
    entryPoints: [entry],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    conditions: ['source'],
    external: ['@duckdb/*', '@platformatic/*'],
    // Files beside the modules are found from where the one file lies.
    define: { 'import.meta.url': 'thisBundleUrl', 'import.meta.dirname': '__dirname' },
    banner: { js: 'const thisBundleUrl = require("node:url").pathToFileURL(__filename).href;' },
    logLevel: 'error',
  });
  // NODE_PATH is for `require` only; the Kafka client is imported.
  symlinkSync(NODE_MODULES, path.join(path.dirname(file), 'node_modules'));
  cpSync(path.join(SOURCES, 'store/lua'), path.join(path.dirname(file), 'lua'), { recursive: true });
  copyFileSync(path.join(SOURCES, 'api/openapi.json'), path.join(path.dirname(file), 'openapi.json'));
  return file;
}
