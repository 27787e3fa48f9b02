/** A Redis that would lose the ledger: every process refuses to start on it, and says which setting it is. */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { bundleProcess } from './bundle.ts';
import { type History, openHistory } from './history.ts';
import { createRedisNode } from './redis-node.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'skein-unfit-'));
let script = '';
let history: History;
beforeAll(async () => {
  [script, history] = await Promise.all([bundleProcess(folder), openHistory(path.join(folder, 'history.jsonl'))]);
});
afterAll(async () => {
  await history.close();
  rmSync(folder, { recursive: true, force: true });
});

test.each([
  ['evicts keys', { 'maxmemory-policy': 'allkeys-lru' }, 'maxmemory-policy is not noeviction'],
  ['has no append-only file', { appendonly: 'no' }, 'AOF is off'],
])('a Redis that %s is refused by server and worker', async (what, settings, said) => {
  const redis = await createRedisNode(path.join(folder, what.replaceAll(' ', '-')), settings);
  await redis.start();
  try {
    for (const role of ['server', 'worker']) {
      const { code, text } = await ended(role, redis.url);
      expect({ role, code }).not.toEqual({ role, code: 0 });
      expect(text).toContain('This Redis would lose the ledger');
      expect(text).toContain(said);
    }
    expect(await redis.command('DBSIZE')).toBe(0); // nothing was written into it
  } finally {
    await redis.kill();
  }
});

/** How a process that is to refuse ends, and what it says. */
function ended(role: string, url: string): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, [script, role], {
    env: { PATH: process.env.PATH, HOME: folder, SKEIN_REDIS_URL: url, RIG_HISTORY_PORT: String(history.port) },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, text })));
}
