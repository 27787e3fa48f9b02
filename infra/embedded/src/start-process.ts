/** Starts a detached process and waits until it answers; when it does not, the end of its log is in the error. */

import { readFileSync } from 'node:fs';

import { ServicesError, messageOf } from './errors.ts';
import { waitUntil } from './ports.ts';
import { type DetachedSpec, isAlive, type ProcessIdentity, spawnDetached, stopProcess } from './processes.ts';

/** A machine at load 70 took 47 s for what takes 1 s when idle. */
const START_TIMEOUT_MS = 90_000;

/** @throws ServicesError `SERVICE_DID_NOT_START` */
export async function startProcess(
  title: string,
  spec: DetachedSpec,
  ready: () => Promise<boolean>,
): Promise<ProcessIdentity> {
  let identity: ProcessIdentity;
  try {
    identity = await spawnDetached(spec);
  } catch (error) {
    throw new ServicesError('SERVICE_DID_NOT_START', `${title} cannot be executed: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const reason = await waitUntil(ready, () => (isAlive(identity) ? undefined : 'it ended at once'), START_TIMEOUT_MS);
  if (reason === undefined) return identity;
  await stopProcess(identity, 'SIGKILL', 1_000);
  throw new ServicesError(
    'SERVICE_DID_NOT_START',
    `${title} did not start: ${reason}. Its log is ${spec.log}; it ends with:\n${tail(spec.log)}`,
  );
}

function tail(file: string, characters = 1_500): string {
  try {
    return readFileSync(file, 'utf8').slice(-characters).trim();
  } catch {
    return '(no log)';
  }
}
