/**
 * Owns the S3, STS and IAM endpoint for tests: moto, with signatures and policies enforced. The first three calls are
 * free; they make the base user, who may do everything with s3, sts and iam, and everything after is checked.
 */

import { randomBytes } from 'node:crypto';

import { type AwsKey, type AwsEndpoint, createUserWithKey, REGION } from './aws-identities.ts';
import { freePort, LOOPBACK, probe } from './ports.ts';
import type { ProcessIdentity } from './processes.ts';
import { ensurePythonProgram } from './python.ts';
import { startProcess } from './start-process.ts';

const MOTO = {
  folder: 'moto-5.2.5',
  program: 'moto_server',
  packages: ['moto[s3,sts,iam]==5.2.5', 'flask', 'flask-cors'],
  purpose: 'moto (S3, STS, IAM for tests)',
};
/** CreateUser, CreateAccessKey, PutUserPolicy. Without this number nothing would be authenticated at all. */
const FREE_CALLS = 3;

/** @returns the program that starts moto */
export function ensureMoto(progress: (line: string) => void): Promise<string> {
  return ensurePythonProgram(MOTO, progress);
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
