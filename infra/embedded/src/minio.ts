/**
 * Owns MinIO for the opt-in form of the S3 tests (`npm run minio`): a second, independent implementation of S3. Found on
 * the PATH, or built from source once per machine with Go. It is a tool of these tests only and never distributed. MinIO
 * knows no roles, so `minio-identities.ts` stands in front of it.
 */

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { type AwsEndpoint, REGION } from './aws-identities.ts';
import { ServicesError } from './errors.ts';
import { withLock } from './locks.ts';
import { machineCache } from './machine-cache.ts';
import type { MinioConfig } from './minio-identities.ts';
import { freePort, LOOPBACK, probe } from './ports.ts';
import type { ProcessIdentity } from './processes.ts';
import { findProgram, lastLine, run } from './programs.ts';
import { startProcess } from './start-process.ts';

/** The last one of the module proxy; it has no tags of releases. */
const MODULE = 'github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c';
const FOLDER = 'minio-20260212';

export interface Minio extends AwsEndpoint {
  readonly process: ProcessIdentity;
  readonly port: number;
}

/** @returns the program. @throws ServicesError when there is neither MinIO nor Go */
async function ensureMinio(progress: (line: string) => void): Promise<string> {
  const found = findProgram('minio');
  if (found !== undefined) return found;
  const program = machineCache(FOLDER, 'bin', 'minio');
  if (existsSync(program)) return program;
  return withLock(machineCache('minio.lock'), async () => {
    if (existsSync(program)) return program;
    const go = findProgram('go');
    if (go === undefined)
      throw new ServicesError(
        'SERVICE_MISSING_PROGRAM',
        'S3 for tests (MinIO) needs minio or go (1.24 or later) on the PATH. Install one of them, for example: sudo apt-get install golang-go',
      );
    progress('building MinIO with Go, once per machine; that takes five minutes of processor time and 2 GB meanwhile');
    const build = machineCache(FOLDER, 'build');
    mkdirSync(build, { recursive: true });
    try {
      const { code, output } = await run(go, ['install', '-ldflags=-s -w', MODULE], {
        GOBIN: path.join(build, 'bin'),
        GOPATH: path.join(build, 'path'),
        GOCACHE: path.join(build, 'cache'),
        // Otherwise what it downloads is read-only and cannot be removed.
        GOFLAGS: '-modcacherw',
      });
      if (code !== 0) throw new ServicesError('SERVICE_SETUP_FAILED', `Go could not build MinIO: ${lastLine(output)}`);
      mkdirSync(path.dirname(program), { recursive: true });
      renameSync(path.join(build, 'bin', 'minio'), program);
    } finally {
      rmSync(build, { recursive: true, force: true });
    }
    return program;
  });
}

export async function startMinio(
  at: { readonly dir: string; readonly log: string; readonly port: number | undefined },
  progress: (line: string) => void,
): Promise<Minio> {
  const config: MinioConfig = {
    program: await ensureMinio(progress),
    port: await freePort(at.port),
    minioPort: await freePort(),
    dataDirectory: path.join(at.dir, 'minio'),
    region: REGION,
    key: { accessKeyId: 'skein-minio', secretAccessKey: randomBytes(18).toString('base64url') },
  };
  const configFile = path.join(at.dir, 'minio.json');
  writeFileSync(configFile, JSON.stringify(config), { mode: 0o600 });
  const front = fileURLToPath(new URL('minio-identities.ts', import.meta.url));
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const identity = await startProcess(
    'S3 for tests (MinIO)',
    { command: process.execPath, args: ['-C', 'source', '--import', tsx, front, configFile], log: at.log, cwd: at.dir },
    async () => isHealthy(config.port),
  );
  return {
    process: identity,
    port: config.port,
    url: `http://${LOOPBACK}:${config.port}`,
    region: config.region,
    key: config.key,
  };
}

async function isHealthy(port: number): Promise<boolean> {
  const answer = await probe(port, 'GET /minio/health/ready HTTP/1.1\r\nHost: minio\r\nConnection: close\r\n\r\n');
  return answer?.toString().startsWith('HTTP/1.1 200') === true;
}
