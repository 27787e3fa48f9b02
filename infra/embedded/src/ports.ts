/** Owns finding free loopback ports and waiting until something answers on one. */

import { once } from 'node:events';
import net from 'node:net';

export const LOOPBACK = '127.0.0.1';

/** The children of a killed PostgreSQL hold its port for a moment longer. */
const RELEASE_MS = 1_500;

/** The wished port when nobody has it (so that URLs survive a restart), otherwise any free one. */
export async function freePort(wished?: number): Promise<number> {
  if (wished !== undefined) {
    for (const until = Date.now() + RELEASE_MS; Date.now() < until; await sleep(POLL_MS)) {
      if ((await tryPort(wished)) !== undefined) return wished;
    }
  }
  const port = await tryPort(0);
  if (port === undefined) throw new Error('no free port on the loopback interface');
  return port;
}

async function tryPort(wished: number): Promise<number | undefined> {
  const server = net.createServer();
  try {
    server.listen(wished, LOOPBACK);
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    server.close();
    await once(server, 'close');
    return port;
  } catch {
    return undefined;
  }
}

/** Sends `request` once connected and resolves with the first answer; undefined when nobody answers within a second. */
export function probe(port: number, request: string | Buffer): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect(port, LOOPBACK, () => socket.write(request));
    const end = (answer: Buffer | undefined) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, () => end(undefined));
    socket.on('error', () => end(undefined));
    socket.on('close', () => resolve(undefined));
    socket.on('data', end);
  });
}

/**
 * Polls `ready` until it is true. `failed` ends the wait early with the reason.
 * @returns undefined when ready, otherwise why not
 */
export async function waitUntil(
  ready: () => Promise<boolean>,
  failed: () => string | undefined,
  timeoutMs: number,
): Promise<string | undefined> {
  for (const until = Date.now() + timeoutMs; ; await sleep(POLL_MS)) {
    if (await ready()) return undefined;
    const reason = failed();
    if (reason !== undefined) return reason;
    if (Date.now() > until) return `no answer within ${timeoutMs / 1000} s`;
  }
}

/** Redis and PostgreSQL answer within 30 to 100 ms; a shorter poll only burns CPU beside them. */
const POLL_MS = 20;

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
