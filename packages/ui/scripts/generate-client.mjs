// Writes the typed client of the dashboard. `--check` writes nothing and fails when it is not up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { clientSource } from './client-source.mjs';

const document = new URL('../../orchestrator/src/api/openapi.json', import.meta.url);
const target = new URL('../src/api/generated/client.ts', import.meta.url);

const source = clientSource(JSON.parse(readFileSync(document, 'utf8')));
if (process.argv.includes('--check')) {
  const fresh = readFileSync(target, 'utf8') === source;
  if (!fresh) process.stderr.write('The client is older than the OpenAPI document: npm run generate -w @skein/ui\n');
  process.exitCode = fresh ? 0 : 1;
} else {
  writeFileSync(target, source);
  process.stdout.write(`written: ${fileURLToPath(target)}\n`);
}
