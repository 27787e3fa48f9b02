/** Owns the file in which the services of one directory are remembered; it holds passwords and is its owner's alone. */

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { ServicesError, messageOf } from './errors.ts';
import type { ServiceName, ServiceRecord } from './service.ts';

export type ServicesState = Readonly<Partial<Record<ServiceName, ServiceRecord>>>;

export const DEFAULT_DIR = '.skein';

function stateFile(dir: string): string {
  return path.join(dir, 'services.json');
}

/** @throws ServicesError `SERVICE_STATE_BROKEN` when the file is not what this program wrote */
export function readState(dir: string): ServicesState {
  let text: string;
  try {
    text = readFileSync(stateFile(dir), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new ServicesError('SERVICE_STATE_BROKEN', `${stateFile(dir)} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  try {
    return (JSON.parse(text) as { services: ServicesState }).services;
  } catch (error) {
    throw new ServicesError(
      'SERVICE_STATE_BROKEN',
      `${stateFile(dir)} is damaged. Stop what still runs and remove it; it is made anew.`,
      { cause: error },
    );
  }
}

export function writeState(dir: string, services: ServicesState): void {
  mkdirSync(dir, { recursive: true });
  const part = `${stateFile(dir)}.part`;
  writeFileSync(part, `${JSON.stringify({ services }, null, 2)}\n`, { mode: 0o600 });
  renameSync(part, stateFile(dir));
}
