/**
 * Owns the folder with DuckDB's extensions for DuckLake. Order: a folder that is already filled, DuckDB's own
 * repository, the signed wheels on PyPI. Extensions are bound to the exact DuckDB version, which is pinned for that.
 */

import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

import { messageOf, ServicesError } from './errors.ts';
import { withLock } from './locks.ts';
import { machineCache } from './machine-cache.ts';
import { findPython, pipInstall } from './python.ts';
import { run } from './programs.ts';
import type { Service } from './service.ts';

/** Bound to `@duckdb/node-api` 1.5.5; PyPI has no wheels for later versions. */
const DUCKDB_VERSION = '1.5.5';
const EXTENSIONS = ['ducklake', 'httpfs', 'postgres_scanner', 'aws'] as const;

export const ducklake: Service = {
  name: 'ducklake',
  variables: ['SKEIN_DUCKDB_EXTENSIONS'],
  stopSignal: 'SIGTERM',
  async start({ progress }) {
    return { env: { SKEIN_DUCKDB_EXTENSIONS: await ensureDuckLakeExtensions(progress) }, up: true };
  },
};

/**
 * @returns the `extension_directory` for `DuckDBInstance.create`
 * @throws ServicesError `SERVICE_SETUP_FAILED` that says what was tried
 */
export async function ensureDuckLakeExtensions(progress: (line: string) => void): Promise<string> {
  const folder = machineCache('duckdb-extensions');
  if (isFilled(folder)) return folder;
  return withLock(machineCache('duckdb-extensions.lock'), async () => {
    if (isFilled(folder)) return folder;
    progress('fetching DuckDB extensions (ducklake, httpfs, postgres, aws), once per machine');
    const refusal = await installFromRepository(folder);
    if (refusal === undefined && isFilled(folder)) return folder;
    try {
      await installFromWheels(folder);
    } catch (error) {
      throw new ServicesError(
        'SERVICE_SETUP_FAILED',
        `The DuckLake extensions of DuckDB ${DUCKDB_VERSION} cannot be had. Its repository: ${refusal}. PyPI: ${messageOf(error)}. Put the four .duckdb_extension files into ${platformFolder(folder)}.`,
        { cause: error },
      );
    }
    return folder;
  });
}

/** DuckDB's name for this machine; `musl` builds are not published. */
function platform(): string {
  const system = process.platform === 'darwin' ? 'osx' : process.platform === 'win32' ? 'windows' : 'linux';
  return `${system}_${os.arch() === 'arm64' ? 'arm64' : 'amd64'}`;
}

function platformFolder(folder: string): string {
  return path.join(folder, `v${DUCKDB_VERSION}`, platform());
}

function isFilled(folder: string): boolean {
  return EXTENSIONS.every((name) => existsSync(path.join(platformFolder(folder), `${name}.duckdb_extension`)));
}

/** In a process of its own, so that this one never loads the native library. @returns why it did not work */
async function installFromRepository(folder: string): Promise<string | undefined> {
  let duckdb: string;
  try {
    duckdb = createRequire(path.resolve('package.json')).resolve('@duckdb/node-api');
  } catch {
    return 'not asked, because @duckdb/node-api is not installed';
  }
  mkdirSync(folder, { recursive: true });
  const script = `const { DuckDBInstance } = require(process.argv[1]);
    (async () => {
      const db = await DuckDBInstance.create(':memory:', { extension_directory: process.argv[2] });
      const c = await db.connect();
      for (const name of process.argv.slice(3)) await c.run('INSTALL ' + name);
    })().catch((e) => { process.stderr.write(String(e.message).split('\\n')[0]); process.exit(1); });`;
  const { code, output } = await run(process.execPath, ['-e', script, duckdb, folder, ...EXTENSIONS]);
  return code === 0 ? undefined : output.trim().slice(0, 300);
}

async function installFromWheels(folder: string): Promise<void> {
  const python = findPython('DuckLake without DuckDB’s repository');
  const wheels = path.join(folder, `wheels.${process.pid}`);
  try {
    const packages = EXTENSIONS.map((name) => `duckdb-extension-${name.replace('_', '-')}==${DUCKDB_VERSION}`);
    await pipInstall(python, packages, ['--no-deps', '--target', wheels], 'DuckDB extensions');
    const target = platformFolder(folder);
    mkdirSync(target, { recursive: true });
    for (const name of EXTENSIONS) {
      const file = path.join(
        wheels,
        `duckdb_extension_${name}`,
        'extensions',
        `v${DUCKDB_VERSION}`,
        `${name}.duckdb_extension`,
      );
      const part = path.join(target, `${name}.part`);
      cpSync(file, part);
      renameSync(part, path.join(target, `${name}.duckdb_extension`));
    }
  } finally {
    rmSync(wheels, { recursive: true, force: true });
    if (existsSync(folder) && readdirSync(folder).length === 0) rmSync(folder, { recursive: true });
  }
}
