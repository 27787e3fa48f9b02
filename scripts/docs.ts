/**
 * `npm run docs` writes the pages that are made from the code; with `--check` it writes nothing and ends with 1 when a
 * page is not what the code says.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { format, resolveConfig } from 'prettier';

import { deployment } from '../skein.config.ts';
import { describeCommands } from './docs-cli.ts';
import { describeErrors } from './docs-errors.ts';

const DOCS = path.resolve(import.meta.dirname, '../docs');
const PAGES = { 'cli.md': () => describeCommands(deployment), 'errors.md': describeErrors };

const isCheck = process.argv.includes('--check');
const stale: string[] = [];
for (const [name, make] of Object.entries(PAGES)) {
  const file = path.join(DOCS, name);
  const text = await format(make(), { ...(await resolveConfig(file)), parser: 'markdown' });
  if (isCheck && read(file) !== text) stale.push(name);
  if (!isCheck) writeFileSync(file, text);
}
if (stale.length > 0) {
  process.stderr.write(`Not what the code says: docs/${stale.join(', docs/')}. Run “npm run docs”.\n`);
  process.exitCode = 1;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
