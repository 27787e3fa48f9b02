/**
 * Owns detached child processes: they outlive the command that started them, write to a log file, and are recognised
 * again by pid *and* start time, so that a recycled pid is never signalled.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';

import { sleep } from './ports.ts';

export interface ProcessIdentity {
  readonly pid: number;
  /** Start time as the kernel counts it; undefined where `/proc` does not exist. */
  readonly born: string | undefined;
}

export interface DetachedSpec {
  readonly command: string;
  readonly args: readonly string[];
  readonly log: string;
  /** Added to the few variables that every child gets; secrets of the caller's environment are not passed on. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
}

const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'JAVA_HOME', 'LD_LIBRARY_PATH'];

export function childEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const name of PASSED_ON) if (process.env[name] !== undefined) env[name] = process.env[name];
  return { ...env, ...extra };
}

/** @throws Error when the program cannot be executed */
export async function spawnDetached(spec: DetachedSpec): Promise<ProcessIdentity> {
  const log = openSync(spec.log, 'a', 0o600);
  try {
    const child = spawn(spec.command, [...spec.args], {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: spec.cwd ?? '/',
      env: childEnvironment(spec.env),
      ...(spec.uid === undefined ? {} : { uid: spec.uid }),
      ...(spec.gid === undefined ? {} : { gid: spec.gid }),
    });
    await once(child, 'spawn');
    child.unref();
    return identify(child.pid as number);
  } finally {
    closeSync(log);
  }
}

export function identify(pid: number): ProcessIdentity {
  return { pid, born: readStat(pid)?.born };
}

export function isAlive(identity: ProcessIdentity): boolean {
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    // EPERM: it exists but belongs to another user (PostgreSQL runs as nobody when we are not root).
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const stat = readStat(identity.pid);
  if (stat === undefined) return identity.born === undefined;
  return stat.state !== 'Z' && stat.state !== 'X' && (identity.born === undefined || stat.born === identity.born);
}

/** Asks with `signal`, insists with SIGKILL after `graceMs`; a process that is not ours any more is left alone. */
export async function stopProcess(identity: ProcessIdentity, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  if (!isAlive(identity)) return;
  send(identity.pid, signal);
  for (const until = Date.now() + graceMs; isAlive(identity); await sleep(20)) {
    if (Date.now() > until) {
      send(identity.pid, 'SIGKILL');
      for (const end = Date.now() + 5_000; isAlive(identity) && Date.now() < end;) await sleep(20);
      return;
    }
  }
}

/**
 * Waits until not even the dead process stands in the process table any more: PostgreSQL takes a lock file for held as
 * long as its process has not been reaped. Gives up after `timeoutMs`, for not every parent reaps.
 */
export async function untilReaped(identity: ProcessIdentity, timeoutMs: number): Promise<void> {
  const stands = () => identity.born !== undefined && readStat(identity.pid)?.born === identity.born;
  for (const until = Date.now() + timeoutMs; stands() && Date.now() < until;) await sleep(20);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone between the look and the signal.
  }
}

function readStat(pid: number): { readonly state: string; readonly born: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in brackets and may itself hold spaces and brackets.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', born: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}
