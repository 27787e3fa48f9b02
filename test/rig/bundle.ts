/**
 * One file of the process under attack, made once a test file: what it starts from is the sources, in a fifth of the
 * time that loading them one by one takes, so that a thousand kills fit into minutes.
 */

import { copyFileSync, cpSync, mkdirSync } from 'node:fs';
import path from 'node:path';

import { build } from 'esbuild';

const ROOT = path.resolve(__dirname, '../..');
export const NODE_MODULES = path.join(ROOT, 'node_modules');
const SOURCES = path.join(ROOT, 'packages/orchestrator/src');

/** @returns the file to start. What loads DuckDB needs NODE_PATH: its binaries stay where they are */
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
    external: ['@duckdb/*'],
    // Files beside the modules are found from where the one file lies.
    define: { 'import.meta.url': 'thisBundleUrl', 'import.meta.dirname': '__dirname' },
    banner: { js: 'const thisBundleUrl = require("node:url").pathToFileURL(__filename).href;' },
    logLevel: 'error',
  });
  cpSync(path.join(SOURCES, 'store/lua'), path.join(path.dirname(file), 'lua'), { recursive: true });
  copyFileSync(path.join(SOURCES, 'api/openapi.json'), path.join(path.dirname(file), 'openapi.json'));
  return file;
}
