/**
 * One file of the process under attack: what it starts from is the sources, in a tenth of the time that loading and
 * compiling them one by one takes, so that a thousand kills fit into minutes.
 */

import { copyFileSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { build } from 'esbuild';

const ROOT = path.resolve(__dirname, '../..');
export const NODE_MODULES = path.join(ROOT, 'node_modules');
const SOURCES = path.join(ROOT, 'packages/orchestrator/src');

/**
 * Compiling is half of a start. So the first process of each kind keeps what V8 had compiled when it first said
 * something, and the next ones take it from there; V8 itself refuses what was kept of another source or version.
 */
const START = `
const { readFileSync, renameSync, writeFileSync } = require('node:fs');
const { wrap } = require('node:module');
const { Script } = require('node:vm');
const filename = __filename.replace('start.cjs', 'main.cjs');
const kept = filename + '.' + (/^[a-z]+$/.exec(process.argv[2] ?? '') ?? 'process') + '.compiled';
const read = (file) => { try { return readFileSync(file); } catch { return undefined; } };
const script = new Script(wrap(readFileSync(filename, 'latin1')), { filename, cachedData: read(kept) });
if (script.cachedDataRejected !== false) {
  const { write } = process.stdout;
  process.stdout.write = (...said) => {
    process.stdout.write = write;
    writeFileSync(kept + process.pid, script.createCachedData());
    renameSync(kept + process.pid, kept);
    return process.stdout.write(...said);
  };
}
module.importModule = (name) => import(name);
script.runInThisContext()(exports, require, module, filename, __dirname);
`;

/** As it is written between slashes, quotes and backticks alike: no character of a bundle is more than a byte. */
const escaped = (source: string) =>
  source.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** @returns the file to start. DuckDB and the Kafka client stay where they are, with their binaries */
export async function bundleProcess(folder: string, entry = path.join(__dirname, 'process.ts')): Promise<string> {
  const home = path.join(folder, 'process');
  mkdirSync(home, { recursive: true });
  const { outputFiles } = await build({
    entryPoints: [entry],
    write: false,
    bundle: true,
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    platform: 'node',
    format: 'cjs',
    conditions: ['source'],
    external: ['@duckdb/*', '@platformatic/*'],
    // Files beside the modules are found from where the one file lies.
    define: { 'import.meta.url': 'thisBundleUrl', 'import.meta.dirname': '__dirname' },
    banner: {
      js: 'const thisBundleUrl = require("node:url").pathToFileURL(__filename).href, { importModule } = module;',
    },
    logLevel: 'error',
  });
  // Code that was taken from what was kept cannot import by itself (Node 20).
  const source = (outputFiles[0]?.text ?? '').replace(/\bimport\(/g, 'importModule(');
  writeFileSync(path.join(home, 'main.cjs'), escaped(source));
  writeFileSync(path.join(home, 'start.cjs'), START);
  // NODE_PATH is for `require` only; the Kafka client is imported.
  symlinkSync(NODE_MODULES, path.join(home, 'node_modules'));
  cpSync(path.join(SOURCES, 'store/lua'), path.join(home, 'lua'), { recursive: true });
  copyFileSync(path.join(SOURCES, 'api/openapi.json'), path.join(home, 'openapi.json'));
  return path.join(home, 'start.cjs');
}
