/**
 * Attempts of assets that ask for isolation: each in a thread or child process with a memory limit. The parent watches
 * from outside what cannot be watched from inside: memory that ran out, an exit that nobody expected, a loop that
 * blocks its own lease. What is left unsettled then is settled here, with the precise reason.
 */

import { spawn } from 'node:child_process';
import { Worker as Thread } from 'node:worker_threads';

import type { Asset } from '../definitions/asset.ts';
import type { EndReason } from '../definitions/errors.ts';
import { backoffMs } from '../definitions/retry.ts';
import { beginAttempt, settleFailed, settleHandedOn, unitOf } from '../engine/attempt.ts';
import type { Engine } from '../engine/engine.ts';

/** How an isolated execution ended, as far as it could be seen from outside. */
interface Ending {
  readonly code: string;
  readonly message: string;
  readonly reason: EndReason;
  readonly exitCode?: number | null;
  /** The last that it wrote to stderr. */
  readonly lastWords?: string;
}

interface Isolated {
  readonly ended: Promise<Ending>;
  /** Its code is aborted and handed on, as that of the worker itself. */
  tellToStop(): void;
  kill(): void;
}

const DEFAULT_MEMORY_MB = 512;
const MAX_MESSAGE = 4_000;
/** How isolated-main.ts ends when a service does not answer, before there is any work that could have failed. */
export const SERVICE_AWAY = 3;

/** The asset of an attempt when it asks for isolation; undefined for those that run inline. */
export async function isolatedAsset(
  engine: Engine,
  isolated: ReadonlyMap<string, Asset>,
  attempt: string,
): Promise<Asset | undefined> {
  if (isolated.size === 0) return undefined;
  const key = await engine.redis.hget(engine.keys.unit(unitOf(attempt)), 'asset');
  return key === null ? undefined : isolated.get(key);
}

/** @param stopping aborted when the worker stops and its grace is over: what runs then is handed on */
export async function executeIsolated(
  engine: Engine,
  worker: string,
  asset: Asset,
  attempt: string,
  file: string,
  stopping: AbortSignal,
): Promise<undefined> {
  const env = {
    ...engine.env,
    SKEIN_ISOLATED_FILE: file,
    SKEIN_ISOLATED_ATTEMPT: attempt,
    SKEIN_ISOLATED_WORKER: worker,
  };
  const memoryMb = asset.memoryLimitMb ?? DEFAULT_MEMORY_MB;
  const running = asset.isolation === 'thread' ? inThread(env, memoryMb) : inProcess(env, memoryMb);
  const watch = setInterval(() => {
    void isOurs(engine, attempt).then((ours) => {
      // Its lease ran out, because its loop is blocked: another attempt has the right to work now, this one does not.
      if (ours === 'gone') running.kill();
    }, ignore);
  }, engine.settings.renewMs);
  let deaf: NodeJS.Timeout | undefined;
  const tell = () => {
    running.tellToStop();
    // It has the grace that inline code has, and as long again for what it says of it.
    deaf = setTimeout(() => running.kill(), 2 * engine.settings.cancelGraceMs);
  };
  stopping.addEventListener('abort', tell);
  if (stopping.aborted) tell();
  try {
    const ending = await running.ended;
    const state = await isOurs(engine, attempt);
    if (stopping.aborted) {
      if (state === 'running') await settleHandedOn(engine, await tokenOf(engine, attempt));
      return;
    }
    if (state === 'running') await settleLeftOver(engine, asset, attempt, ending);
    // Rung for again, it would end the same way for ever: but for a service that was away.
    if (state === 'waiting' && ending.exitCode !== SERVICE_AWAY && (await beginAttempt(engine, attempt, worker)))
      await settleLeftOver(engine, asset, attempt, notBegun(ending));
  } finally {
    clearInterval(watch);
    clearTimeout(deaf);
    stopping.removeEventListener('abort', tell);
  }
}

async function tokenOf(engine: Engine, attempt: string): Promise<{ readonly id: string; readonly epoch: number }> {
  return { id: attempt, epoch: Number((await engine.redis.hget(engine.keys.unit(unitOf(attempt)), 'epoch')) ?? 0) };
}

/** Redis is away: the next look tells. */
function ignore(): void {}

/** `waiting`: not begun yet; `running`: begun and unsettled; `gone`: settled, lost or another attempt's by now. */
async function isOurs(engine: Engine, attempt: string): Promise<'waiting' | 'running' | 'gone'> {
  const [state, number] = await engine.redis.hmget(engine.keys.unit(unitOf(attempt)), 'state', 'attempt');
  if (number !== attempt.slice(attempt.lastIndexOf('.') + 1)) return 'gone';
  return state === 'RUNNING' ? 'running' : state === 'DISPATCHED' ? 'waiting' : 'gone';
}

async function settleLeftOver(engine: Engine, asset: Asset, attempt: string, ending: Ending): Promise<void> {
  const [epoch, fails] = await engine.redis.hmget(engine.keys.unit(unitOf(attempt)), 'epoch', 'fails');
  const failed = Number(fails ?? 0);
  const again = failed + 1 < asset.retries.attempts;
  await settleFailed(
    engine,
    { id: attempt, epoch: Number(epoch ?? 0) },
    {
      error: { code: ending.code, message: ending.message.slice(0, MAX_MESSAGE) },
      reason: ending.reason,
      retryInMs: again ? backoffMs(asset.retries.backoff, failed + 2) : -1,
    },
  );
  engine.dispatcher.kick();
}

const outOfMemory = (memoryMb: number): Ending => ({
  code: 'OUT_OF_MEMORY',
  message: `The code used more than the ${memoryMb} MB that its asset may have.`,
  reason: 'oom',
});
const exited = (how: string): Ending => ({
  code: 'PROCESS_EXITED',
  message: `The code ended its process (${how}) instead of returning.`,
  reason: 'user_error',
});

const notBegun = ({ code, message, reason, lastWords = '' }: Ending): Ending => ({
  code,
  reason,
  message: `${message} It had not begun its work: its deployment cannot be loaded there. ${lastWords}`.trim(),
});

/** Keeps the last of what is written; read also where nobody wants it, so that whoever waits until it is written goes on. */
function tailOf(stream: NodeJS.ReadableStream): () => string {
  let tail = '';
  stream.on('data', (chunk: Buffer) => (tail = `${tail}${chunk.toString()}`.slice(-MAX_MESSAGE)));
  return () => tail;
}

function inProcess(env: Engine['env'], memoryMb: number): Isolated {
  const child = spawn(process.execPath, [...process.execArgv, `--max-old-space-size=${memoryMb}`, mainFile()], {
    env,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  if (!child.stderr) throw new TypeError('it is a pipe');
  const tail = tailOf(child.stderr);
  const ended = new Promise<Ending>((resolve) => {
    child.once('error', (error) => resolve(exited(error.message)));
    child.once('close', (code, signal) => {
      resolve(
        /heap out of memory|Allocation failed/.test(tail())
          ? outOfMemory(memoryMb)
          : { ...exited(signal ?? `exit code ${code}`), exitCode: code, lastWords: tail() },
      );
    });
  });
  return {
    ended,
    tellToStop: () => void (child.connected && child.send('stop', () => {})), // it may be gone by then
    kill: () => void child.kill('SIGKILL'),
  };
}

function inThread(env: Engine['env'], memoryMb: number): Isolated {
  const thread = new Thread(new URL('./isolated-thread.mjs', import.meta.url), {
    env: { ...env },
    // The flag that loads TypeScript is not taken by threads; which of a package's entries is meant has to be said anew.
    execArgv: ['--conditions=source'],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
  });
  const tail = tailOf(thread.stderr);
  thread.stdout.resume();
  const ended = new Promise<Ending>((resolve) => {
    thread.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? outOfMemory(memoryMb) : exited(error.message));
    });
    thread.once('exit', (code) => resolve({ ...exited(`exit code ${code}`), exitCode: code, lastWords: tail() }));
  });
  return { ended, tellToStop: () => thread.postMessage('stop'), kill: () => void thread.terminate() };
}

function mainFile(): string {
  return new URL('./isolated-main.ts', import.meta.url).pathname;
}
