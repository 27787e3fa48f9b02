/** A Redis of the rig's own: killed, restarted on its append-only file, cut short, replicated, filled up. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';

import { Redis } from 'ioredis';

import { freePort } from '../../infra/embedded/src/ports.ts';
import { ensureRedis } from '../../infra/embedded/src/redis.ts';

export interface RedisNode {
  readonly port: number;
  readonly url: string;
  /** Resolves when it answers; after `kill` it comes back with what its files hold. */
  start(): Promise<void>;
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Waits until all that was written is in the append-only file: from then on no power cut takes it. */
  flush(): Promise<void>;
  /** As a power cut does: the end of the append-only file never reached the disk. Gives the bytes that are gone. */
  cutTail(bytes: number): number;
  /**
   * What must be done after it: Redis 7.0 itself loads such a file, but cuts it in the middle of a transaction, and at
   * the next start half a script is carried out.
   */
  repair(): Promise<void>;
  /** One command, over a connection of its own. */
  command(...args: readonly string[]): Promise<unknown>;
}

export async function createRedisNode(
  folder: string,
  config: Readonly<Record<string, string>> = {},
): Promise<RedisNode> {
  mkdirSync(folder, { recursive: true });
  const program = await ensureRedis(() => {});
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}/0`;
  const settings = {
    ...{ port: String(port), bind: '127.0.0.1', dir: folder, appendonly: 'yes', appendfsync: 'everysec', save: '' },
    ...{ 'maxmemory-policy': 'noeviction', 'aof-load-truncated': 'no', 'auto-aof-rewrite-percentage': '0' },
    ...config,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  let child: ChildProcess | undefined;
  let onDisk = 0;
  const appendOnlyFile = () => {
    const dir = path.join(folder, 'appendonlydir');
    const files = readdirSync(dir).filter((file) => file.endsWith('.incr.aof'));
    return path.join(dir, files.sort().at(-1) ?? '');
  };
  const command = async (...parts: readonly string[]) => {
    const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
    redis.on('error', () => {});
    try {
      await redis.connect();
      return await redis.call(parts[0] ?? 'PING', ...parts.slice(1));
    } finally {
      redis.disconnect();
    }
  };
  return {
    port,
    url,
    async start() {
      child = spawn(program, args, { stdio: 'ignore' });
      const ends = performance.now() + 60_000;
      while ((await command('PING').catch(() => '')) !== 'PONG') {
        if (child.exitCode !== null) throw new RangeError(`Redis ended with ${child.exitCode}`);
        if (performance.now() > ends) throw new RangeError('Redis does not answer');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async kill(signal = 'SIGKILL') {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    },
    async flush() {
      while (!/^aof_buffer_length:0\r?$/m.test(String(await command('INFO', 'persistence'))));
      onDisk = statSync(appendOnlyFile()).size;
    },
    cutTail(bytes) {
      const { size } = statSync(appendOnlyFile());
      const left = Math.max(onDisk, size - bytes);
      truncateSync(appendOnlyFile(), left);
      return size - left;
    },
    async repair() {
      const checker = path.join(path.dirname(program), path.basename(program).replace('server', 'check-aof'));
      const manifest = path.join(folder, 'appendonlydir', 'appendonly.aof.manifest');
      const fixing = spawn(checker, ['--fix', manifest], { stdio: ['pipe', 'ignore', 'ignore'] });
      fixing.stdin.on('error', () => {}).end('y\n');
      const [code] = (await once(fixing, 'exit')) as [number | null];
      if (code !== 0) throw new RangeError(`${path.basename(checker)} ended with ${code}`);
    },
    command,
  };
}
