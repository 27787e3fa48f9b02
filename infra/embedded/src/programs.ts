/**
 * Owns finding the programs that npm cannot ship: on the PATH, else through apt where that needs no password, else a
 * message that says in one line what to install.
 */

import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';

import { ServicesError } from './errors.ts';
import { withLock } from './locks.ts';
import { machineCache } from './machine-cache.ts';
import { childEnvironment } from './processes.ts';

/** The first of `names` on the PATH, as an absolute path. */
export function findProgram(...names: string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean);
  for (const name of names) {
    for (const folder of [...folders, '/usr/sbin', '/usr/local/bin']) {
      const file = path.join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // Not here.
      }
    }
  }
  return undefined;
}

export interface ProgramSpec {
  readonly names: readonly string[];
  readonly aptPackages: readonly string[];
  /** What it is for, in words: “Redis”. */
  readonly purpose: string;
}

/** @throws ServicesError `SERVICE_MISSING_PROGRAM` with what to install */
export async function ensureProgram(spec: ProgramSpec, progress: (line: string) => void): Promise<string> {
  const found = findProgram(...spec.names);
  if (found !== undefined) return found;
  const elevation = await aptElevation();
  if (elevation !== undefined) {
    progress(`installing ${spec.aptPackages.join(', ')} with apt-get, for ${spec.purpose}`);
    await withLock(machineCache('apt.lock'), () => aptInstall(elevation, spec.aptPackages));
    const installed = findProgram(...spec.names);
    if (installed !== undefined) return installed;
  }
  throw new ServicesError(
    'SERVICE_MISSING_PROGRAM',
    `${spec.purpose} needs ${spec.names.join(' or ')}, which is not on the PATH. Install it, for example: sudo apt-get install ${spec.aptPackages.join(' ')}`,
  );
}

/** The words before `apt-get`: none for root, `sudo -n` where sudo asks nothing; undefined when apt cannot be used. */
async function aptElevation(): Promise<readonly string[] | undefined> {
  if (findProgram('apt-get') === undefined) return undefined;
  if (process.getuid?.() === 0) return [];
  if (findProgram('sudo') === undefined) return undefined;
  return (await run('sudo', ['-n', 'true'])).code === 0 ? ['sudo', '-n'] : undefined;
}

async function aptInstall(elevation: readonly string[], packages: readonly string[]): Promise<void> {
  const apt = async (...args: string[]) => {
    const [command = 'apt-get', ...rest] = [...elevation, 'apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=120', ...args];
    return run(command, rest, { DEBIAN_FRONTEND: 'noninteractive' });
  };
  const install = () => apt('install', '-y', '--no-install-recommends', ...packages);
  // A fresh container has no package lists; a machine in use has, and then the update is the slow part.
  if (existsSync('/var/lib/apt/lists/lock') && (await install()).code === 0) return;
  await apt('update');
  const { code, output } = await install();
  if (code !== 0) {
    throw new ServicesError(
      'SERVICE_SETUP_FAILED',
      `apt-get could not install ${packages.join(' ')}: ${lastLine(output)}`,
    );
  }
}

export interface RunResult {
  readonly code: number;
  readonly output: string;
}

/** Runs a program to its end and keeps what it printed; a program that cannot be executed gives code 127. */
export function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = spawn(command, [...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Package clients (pip, mvn, apt) are configured by variables: proxies, mirrors, certificates.
      env: { ...process.env, ...childEnvironment(env) },
    });
    let output = '';
    const keep = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-20_000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => resolve({ code: 127, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

export function lastLine(output: string): string {
  return output.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
}
