/** Builds the dashboard when it is not built. Test files run side by side: the first builds, the others wait. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import path from 'node:path';

const UI = path.resolve(__dirname, '..');
export const DIST = path.join(UI, 'dist');
const LOCK = path.join(UI, 'node_modules', '.building');
const DEADLINE_MS = 120_000;
const LOOK_EVERY_MS = 200;

export function buildOnce(): void {
  const deadline = Date.now() + DEADLINE_MS;
  while (!existsSync(path.join(DIST, 'index.html')) || existsSync(LOCK)) {
    if (Date.now() > deadline) throw new TypeError(`The dashboard was not built in time; is ${LOCK} left over?`);
    try {
      mkdirSync(LOCK, { recursive: false });
    } catch {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_EVERY_MS);
      continue;
    }
    try {
      const vite = path.resolve(UI, '../../node_modules/vite/bin/vite.js');
      const { status, stderr } = spawnSync(process.execPath, [vite, 'build'], { cwd: UI, encoding: 'utf8' });
      if (status !== 0) throw new TypeError(`The dashboard could not be built: ${stderr}`);
    } finally {
      rmdirSync(LOCK);
    }
  }
}
