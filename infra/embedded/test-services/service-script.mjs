// Runs services-of-a-run.ts in a process of its own, with the same loader as the command line.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('services-of-a-run.ts', import.meta.url));

/** Resolves with what the script printed; its progress goes to stderr. */
export function runServiceScript(...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['-C', 'source', '--import', 'tsx', script, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else
        reject(new Error(`The test services could not be ${args[0] === 'start' ? 'started' : 'stopped'}; see above.`));
    });
  });
}
