/** Runs a program to its end as another user, from `/`: that user may not be able to enter the current directory. */

import { spawn } from 'node:child_process';

import type { RunAs } from './postgres-binaries.ts';
import { childEnvironment } from './processes.ts';
import type { RunResult } from './programs.ts';

export function runAs(command: string, args: readonly string[], user: RunAs): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = spawn(command, [...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: '/',
      env: childEnvironment(),
      ...user,
    });
    let output = '';
    const keep = (chunk: Buffer) => (output += chunk.toString());
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => resolve({ code: 127, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
