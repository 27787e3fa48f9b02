// What the set-up stands on: where the checkout is, which Node this is, and how to run a program.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
/** How TypeScript is run here, without building anything first. */
export const TYPESCRIPT = ['-C', 'source', '--import', 'tsx'];

const NEEDED = [20, 19];

/** A message for people; no stack trace helps them. */
export class SetupError extends Error {}

/** Progress goes to stderr: stdout belongs to results. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

export function checkNodeVersion() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return;
  throw new SetupError(
    `Skein needs Node ${NEEDED.join('.')} or later; this is ${process.versions.node}. Install a newer one.`,
  );
}

/** Runs a program with this terminal; signals reach it, and its exit code is the answer. */
export function runInTerminal(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: 'inherit', ...options });
    // The terminal sends Ctrl-C to the child as well: this process only waits for it to end.
    const pass = (signal) => child.kill(signal);
    const wait = () => {};
    process.on('SIGTERM', pass);
    process.on('SIGINT', wait);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      process.off('SIGTERM', pass);
      process.off('SIGINT', wait);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 1));
    });
  });
}

/** Runs a program and keeps what it printed. */
export function capture(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, ...options });
    const result = { code: 1, stdout: '', stderr: '' };
    child.stdout?.on('data', (chunk) => (result.stdout += chunk));
    child.stderr?.on('data', (chunk) => (result.stderr += chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ ...result, code: code ?? 1 }));
  });
}
