/**
 * Owns the embedded Redis: append-only file, fsync every second, and `noeviction`, as Skein demands of any Redis. The
 * password is in a configuration file that only its owner can read, not in the arguments.
 */

import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

import { freePort, LOOPBACK, probe } from './ports.ts';
import { ensureProgram } from './programs.ts';
import type { Service } from './service.ts';
import { startProcess } from './start-process.ts';

export const redis: Service = {
  name: 'redis',
  variables: ['SKEIN_REDIS_URL'],
  stopSignal: 'SIGTERM',
  async start({ dir, log, previous, progress }) {
    const program = await ensureRedis(progress);
    const port = await freePort(previous?.port);
    const password = previous?.memory?.password ?? randomBytes(18).toString('base64url');
    const file = path.join(dir, 'redis.conf');
    writeFileSync(file, configuration({ port, password, dir }), { mode: 0o600 });

    const answers = async () => {
      const answer = await probe(port, `AUTH ${password}\r\nPING\r\n`);
      return answer !== undefined && answer.includes('+OK');
    };
    const process = await startProcess('Redis', { command: program, args: [file], log, cwd: dir }, answers);
    return {
      process,
      port,
      memory: { password },
      env: { SKEIN_REDIS_URL: `redis://:${password}@${LOOPBACK}:${port}/0` },
      log,
      up: true,
    };
  },
};

/** @returns the server's executable @throws ServicesError with what to install */
export function ensureRedis(progress: (line: string) => void): Promise<string> {
  return ensureProgram(
    { names: ['redis-server', 'valkey-server'], aptPackages: ['redis-server'], purpose: 'Redis' },
    progress,
  );
}

function configuration(at: { readonly port: number; readonly password: string; readonly dir: string }): string {
  return [
    `port ${at.port}`,
    `bind ${LOOPBACK}`,
    `requirepass ${at.password}`,
    `dir "${at.dir}"`,
    'daemonize no',
    'appendonly yes',
    'appendfsync everysec',
    'maxmemory-policy noeviction',
    // The append-only file is the truth; snapshots beside it would only cost.
    'save ""',
    '',
  ].join('\n');
}
