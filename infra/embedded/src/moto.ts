/**
 * Owns the S3, STS and IAM endpoint for tests: moto, with signatures and policies enforced. The first three calls are
 * free; they make the base user, who may do everything with s3, sts and iam, and everything after is checked.
 */

import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';

import { type AwsKey, type AwsEndpoint, createUserWithKey, REGION } from './aws-identities.ts';
import { withLock } from './locks.ts';
import { machineCache } from './machine-cache.ts';
import { freePort, LOOPBACK, probe } from './ports.ts';
import type { ProcessIdentity } from './processes.ts';
import { lastLine, run } from './programs.ts';
import { findPython, pipInstall } from './python.ts';
import { ServicesError } from './errors.ts';
import { startProcess } from './start-process.ts';

const PACKAGES = ['moto[s3,sts,iam]==5.2.5', 'flask', 'flask-cors'];
/** CreateUser, CreateAccessKey, PutUserPolicy. Without this number nothing would be authenticated at all. */
const FREE_CALLS = 3;

/** @returns the program that starts moto */
export async function ensureMoto(progress: (line: string) => void): Promise<string> {
  const folder = machineCache('moto-5.2.5');
  const server = path.join(folder, 'bin', 'moto_server');
  if (existsSync(server)) return server;
  return withLock(machineCache('moto.lock'), async () => {
    if (existsSync(server)) return server;
    progress('installing moto (S3, STS, IAM for tests) from PyPI, once per machine');
    const python = findPython('S3 for tests (moto)');
    // A folder without the program is the rest of an installation that was interrupted.
    rmSync(folder, { recursive: true, force: true });
    const { code, output } = await run(python, ['-m', 'venv', folder]);
    if (code !== 0) {
      throw new ServicesError(
        'SERVICE_SETUP_FAILED',
        `S3 for tests (moto) needs a Python virtual environment: ${lastLine(output)}. On Debian: sudo apt-get install python3-venv`,
      );
    }
    await pipInstall(path.join(folder, 'bin', 'python'), PACKAGES, [], 'S3 for tests (moto)').catch(
      (error: unknown) => {
        rmSync(folder, { recursive: true, force: true });
        throw error;
      },
    );
    return server;
  });
}

export interface Moto extends AwsEndpoint {
  readonly process: ProcessIdentity;
  readonly port: number;
}

export async function startMoto(
  at: { readonly dir: string; readonly log: string; readonly port: number | undefined },
  progress: (line: string) => void,
): Promise<Moto> {
  const server = await ensureMoto(progress);
  const port = await freePort(at.port);
  const process = await startProcess(
    'S3 for tests (moto)',
    {
      command: server,
      args: ['-H', LOOPBACK, '-p', String(port)],
      env: { INITIAL_NO_AUTH_ACTION_COUNT: String(FREE_CALLS), PYTHONUNBUFFERED: '1' },
      log: at.log,
      cwd: at.dir,
    },
    // Any answer will do, and asking for a health page is not counted as an action.
    async () => (await probe(port, 'GET /moto-api/ HTTP/1.1\r\nHost: moto\r\nConnection: close\r\n\r\n')) !== undefined,
  );
  const url = `http://${LOOPBACK}:${port}`;
  const key: AwsKey = await createUserWithKey(url, `skein-${randomBytes(4).toString('hex')}`);
  return { process, port, url, region: REGION, key };
}
