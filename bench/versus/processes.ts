/** Process groups that the comparison starts: until they answer, what they hold in memory, and their end. */

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

const PATIENCE_MS = 300_000;
const PAGE_BYTES = 4_096;

export interface Group {
  readonly output: () => string;
  readonly memoryBytes: () => number;
  stop(): Promise<void>;
}

export function startGroup(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Group {
  const child: ChildProcess = spawn(command, [...args], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-20_000));
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const group = child.pid ?? 0;
  return {
    output: () => output,
    memoryBytes: () => residentBytes(group),
    async stop() {
      if (group === 0) return;
      const signal = (name: NodeJS.Signals) => {
        try {
          process.kill(-group, name);
        } catch {
          // All of the group have ended.
        }
      };
      signal('SIGTERM');
      const insist = setTimeout(() => signal('SIGKILL'), 10_000);
      await ended;
      clearTimeout(insist);
      signal('SIGKILL');
    },
  };
}

/** @throws RangeError that names `what`, with what `group` printed last */
export async function until<T>(
  ask: () => Promise<T | undefined>,
  what: string,
  pollMs = 100,
  group?: Group,
): Promise<T> {
  for (const ends = performance.now() + PATIENCE_MS; ; await new Promise((resolve) => setTimeout(resolve, pollMs))) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > ends) {
      throw new RangeError(`${what}: nothing within ${PATIENCE_MS / 1_000} s. ${group?.output().slice(-2_000) ?? ''}`);
    }
  }
}

/** Of all processes of a group: field 5 of a process's stat is its group, field 24 its resident pages. */
function residentBytes(group: number): number {
  let pages = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
        .replace(/^.*\) /s, '')
        .split(' ');
      if (Number(fields[2]) === group) pages += Number(fields[21]);
    } catch {
      // It has ended in between.
    }
  }
  return pages * PAGE_BYTES;
}
