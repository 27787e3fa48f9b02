import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { withLock } from '../src/locks.ts';
import { identify, isAlive, spawnDetached, stopProcess } from '../src/processes.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'skein-lock-'));
});

afterEach(() => rmSync(dir, { recursive: true }));

test('one holder at a time, and nothing is left behind', async () => {
  const file = path.join(dir, 'l');
  let inside = 0;
  const work = () =>
    withLock(file, async () => {
      expect(++inside).toBe(1);
      await new Promise(setImmediate);
      inside--;
    });
  await Promise.all([work(), work(), work()]);
  expect(readdirSync(dir)).toEqual([]);
});

test('the lock of a dead process is taken over', async () => {
  const file = path.join(dir, 'l');
  writeFileSync(file, JSON.stringify({ pid: process.pid, born: 'another time' }));
  expect(await withLock(file, () => Promise.resolve('done'))).toBe('done');
  expect(readdirSync(dir)).toEqual([]);
});

test('a process that only got the same pid is never signalled', async () => {
  const child = await spawnDetached({
    command: process.execPath,
    args: ['-e', 'setInterval(() => {}, 1000)'],
    log: path.join(dir, 'log'),
  });
  await stopProcess({ pid: child.pid, born: 'another time' }, 'SIGKILL', 1_000);
  expect(isAlive(identify(child.pid))).toBe(true);
  await stopProcess(child, 'SIGTERM', 5_000);
  expect(isAlive(child)).toBe(false);
});
