import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `services …` or `schemas …` in a process of its own, with nothing of this run's services in its environment. */
export function runCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  const tsx = pathToFileURL(createRequire(__filename).resolve('tsx')).href;
  const script = path.join(__dirname, 'services-cli.ts');
  const { PATH = '', HOME = '' } = process.env;
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['-C', 'source', '--import', tsx, script, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH, HOME, ...env },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('close', (code) => resolve({ code: code ?? 1, stdout, stderr }));
  });
}
