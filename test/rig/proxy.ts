/**
 * A TCP proxy whose network can be made ill: the toxics of Toxiproxy that matter here, in one file, so that the attacks
 * on the network need nothing that is not in the repository. Held bytes are kept, as TCP keeps them for
 * retransmission, and arrive when the network heals.
 */

import net from 'node:net';

type Direction = 'up' | 'down';

export type Toxic =
  // One way only when `direction` is given.
  /** Nothing arrives, connections stay open. */
  | { readonly kind: 'cut'; readonly direction?: Direction }
  | { readonly kind: 'latency'; readonly ms: number; readonly jitterMs: number; readonly direction?: Direction }
  | { readonly kind: 'bandwidth'; readonly bytesPerSecond: number }
  /** Every connection is reset now, and each new one when it first speaks. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'slicer'; readonly bytes: number }
  /** The end of one side is told to the other so much later. */
  | { readonly kind: 'slow close'; readonly ms: number }
  /** As a firewall forgets: what is open leads nowhere for ever, and neither side is told; what is new is well. */
  | { readonly kind: 'forget' };

export interface Proxy {
  readonly port: number;
  /** Where it leads; a change concerns new connections, and those that are open are reset. */
  lead(port: number): void;
  infect(toxic: Toxic): void;
  heal(): void;
  close(): Promise<void>;
}

const TICK_MS = 100;
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** @param chance gives the jitter: from 0 up to 1 */
export async function openProxy(target: number, chance: () => number): Promise<Proxy> {
  let upstream = target;
  let toxic: Toxic | undefined;
  let changed: (() => void)[] = [];
  const pairs = new Set<readonly [net.Socket, net.Socket]>();
  const forgotten = new WeakSet<net.Socket>();
  const change = (to: Toxic | undefined) => {
    toxic = to;
    for (const wake of changed.splice(0)) wake();
  };
  const towards = (direction: Direction) =>
    toxic && 'direction' in toxic && toxic.direction !== undefined && toxic.direction !== direction ? undefined : toxic;
  const open = async (direction: Direction) => {
    while (towards(direction)?.kind === 'cut') await new Promise<void>((resolve) => changed.push(resolve));
  };
  const write = async (to: net.Socket, bytes: Buffer) => {
    if (!forgotten.has(to) && !to.destroyed && !to.write(bytes))
      await new Promise<void>((resolve) => to.once('drain', resolve).once('close', resolve));
  };
  const pass = async (chunk: Buffer, to: net.Socket, direction: Direction) => {
    const late = towards(direction);
    if (late?.kind === 'latency') await sleep(late.ms + (2 * chance() - 1) * late.jitterMs);
    for (let at = 0; at < chunk.length;) {
      await open(direction);
      const step =
        toxic?.kind === 'bandwidth'
          ? Math.ceil((toxic.bytesPerSecond * TICK_MS) / 1_000)
          : toxic?.kind === 'slicer'
            ? toxic.bytes
            : chunk.length;
      if (toxic?.kind === 'bandwidth') await sleep(TICK_MS);
      if (toxic?.kind === 'slicer') await new Promise((resolve) => setImmediate(resolve));
      await write(to, chunk.subarray(at, at + step));
      at += step;
    }
  };
  const join = (from: net.Socket, to: net.Socket, direction: Direction) => {
    let queue = Promise.resolve();
    from.on('data', (chunk: Buffer) => {
      if (toxic?.kind === 'reset') {
        from.resetAndDestroy();
        to.resetAndDestroy();
        return;
      }
      from.pause();
      queue = queue.then(() => pass(chunk, to, direction)).then(() => void from.resume());
    });
    from.on('error', () => {});
    from.on('close', () => {
      queue = queue.then(async () => {
        if (toxic?.kind === 'slow close') await sleep(toxic.ms);
        await open(direction);
        if (!forgotten.has(from)) to.destroy();
      });
    });
  };
  const server = net.createServer((client) => {
    const service = net.connect(upstream, '127.0.0.1');
    const pair = [client, service] as const;
    pairs.add(pair);
    service.once('close', () => client.destroyed && pairs.delete(pair));
    client.once('close', () => service.destroyed && pairs.delete(pair));
    join(client, service, 'up');
    join(service, client, 'down');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const reset = () => {
    for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy();
  };
  return {
    port: (server.address() as net.AddressInfo).port,
    lead(port) {
      upstream = port;
      reset();
    },
    infect(illness) {
      change(illness);
      if (illness.kind === 'reset') reset();
      if (illness.kind === 'forget') for (const socket of [...pairs].flat()) forgotten.add(socket);
    },
    heal: () => change(undefined),
    async close() {
      change(undefined);
      for (const pair of pairs) for (const socket of pair) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      changed = [];
    },
  };
}

/** Each of Toxiproxy's, by its name. */
export const TOXICS: Readonly<Record<string, Toxic>> = {
  cut: { kind: 'cut' },
  'cut towards it': { kind: 'cut', direction: 'up' },
  'cut from it': { kind: 'cut', direction: 'down' },
  latency: { kind: 'latency', ms: 1_000, jitterMs: 1_000 },
  bandwidth: { kind: 'bandwidth', bytesPerSecond: 10_000 },
  reset: { kind: 'reset' },
  slicer: { kind: 'slicer', bytes: 16 },
  'slow close': { kind: 'slow close', ms: 3_000 },
};
