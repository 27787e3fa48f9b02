/**
 * Owns the program that fuzzes an HTTP API by its OpenAPI document: schemathesis, from PyPI, once per machine. Found
 * before tests are declared, so that a machine that cannot have it skips them by name.
 */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { machineCache } from '../src/machine-cache.ts';

const SCHEMATHESIS = 'schemathesis-4.32.5';
const INSTALL = fileURLToPath(new URL('install-schemathesis.ts', import.meta.url));

/** The program, or undefined where this machine cannot have it; stderr has said why. */
export function findSchemathesis(): string | undefined {
  const program = path.join(machineCache(SCHEMATHESIS), 'bin', 'schemathesis');
  if (existsSync(program)) return program;
  const args = ['-C', 'source', '--import', 'tsx', INSTALL, SCHEMATHESIS];
  spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  return existsSync(program) ? program : undefined;
}
