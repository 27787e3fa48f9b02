/**
 * The history log: what really happened, told by the side that it happened to. Workers send every deed over a
 * connection of its own to this target, which lies outside the system under test; it numbers what arrives, refuses
 * effects of an epoch older than one that it has seen, as a fenced data system does, and appends all of it to a file. It
 * is also the source that sensors read: how far their feeds have come is what the rig says.
 */

import { closeSync, openSync, writeSync } from 'node:fs';
import net from 'node:net';
import { createInterface } from 'node:readline';

/** What a worker tells of one attempt on one partition. */
interface Deed {
  readonly kind: 'enter' | 'effect' | 'leave';
  readonly run: string;
  readonly key: string;
  readonly attempt: number;
  readonly epoch: number;
}

/** What the target is told or asked, by a process that has said who it is. */
type Said =
  | { readonly kind: 'hello'; readonly pid: number }
  | { readonly kind: 'feed' }
  | { readonly kind: 'stalled'; readonly ms: number }
  | Deed;

export type Entry = { readonly seq: number; readonly atMs: number } & (
  | (Deed & { readonly pid: number; readonly accepted: boolean })
  /** The process has ended; whatever it was inside of is left. */
  | { readonly kind: 'death'; readonly pid: number }
  /** The process was given no core for so long until now, or the machine's clock leapt over it. */
  | { readonly kind: 'stalled'; readonly pid: number; readonly ms: number }
  /** A request was acknowledged to its caller. */
  | { readonly kind: 'acknowledged'; readonly run: string }
  /** A run was seen ended. */
  | { readonly kind: 'ended'; readonly run: string; readonly status: string }
);

type Unnumbered = Entry extends infer E ? (E extends Entry ? Omit<E, 'seq' | 'atMs'> : never) : never;

export interface History {
  readonly entries: readonly Entry[];
  readonly port: number;
  /** Processes that are in the middle of a deed. */
  busy(): ReadonlySet<number>;
  /** What they are in the middle of, as `run|key`. */
  inside(): Iterable<string>;
  /** Items that each feed holds so far. */
  available: number;
  add(entry: Unnumbered): void;
  close(): Promise<void>;
}

export async function openHistory(file: string): Promise<History> {
  const entries: Entry[] = [];
  const highest = new Map<string, number>();
  const log = openSync(file, 'a');
  const inside = new Map<string, number>();
  const follow = (entry: Unnumbered) => {
    if (entry.kind === 'death') for (const [id, pid] of inside) if (pid === entry.pid) inside.delete(id);
    if (entry.kind !== 'enter' && entry.kind !== 'leave') return;
    const id = `${entry.run}|${entry.key}|${entry.epoch}|${entry.pid}`;
    if (entry.kind === 'enter') inside.set(id, entry.pid);
    else inside.delete(id);
  };
  const add = (entry: Unnumbered) => {
    follow(entry);
    const numbered = { seq: entries.length + 1, atMs: performance.now(), ...entry } as Entry;
    entries.push(numbered);
    writeSync(log, `${JSON.stringify(numbered)}\n`);
  };
  const accept = (deed: Deed, pid: number) => {
    const what = `${deed.run}|${deed.key}`;
    const accepted = deed.epoch >= (highest.get(what) ?? 0);
    if (accepted && deed.kind === 'effect') highest.set(what, deed.epoch);
    add({ ...deed, pid, accepted });
    return accepted;
  };
  let closed = false;
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    let pid = 0;
    const answer = (said: Said) => {
      if (said.kind === 'hello') pid = said.pid;
      else if (said.kind === 'feed') return history.available;
      else if (said.kind === 'stalled') add({ ...said, pid });
      else return Number(accept(said, pid));
      return 1;
    };
    sockets.add(socket);
    // Here, and not where its exit is seen: what it said last may be read after that.
    socket
      .on('close', () => {
        sockets.delete(socket);
        if (!closed) add({ kind: 'death', pid });
      })
      .on('error', () => {});
    createInterface(socket)
      .on('error', () => {})
      .on('line', (line) => {
        const { n, ...said } = JSON.parse(line) as Said & { n: number };
        socket.write(`${n} ${answer(said)}\n`);
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const history: History = {
    entries,
    port: (server.address() as net.AddressInfo).port,
    available: Infinity,
    busy: () => new Set(inside.values()),
    inside: () => new Set([...inside.keys()].map((id) => id.split('|', 2).join('|'))),
    add,
    async close() {
      closed = true;
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      closeSync(log);
    },
  };
  return history;
}

/** The worker's end. */
export interface Target {
  /** False: refused, for a newer epoch has been here. */
  tell(deed: Deed): Promise<boolean>;
  available(): Promise<number>;
}

const LOOK_MS = 50;
/** Shorter ones end no lease. */
const STALL_MS = 200;
/** The machine's: attacks move that of the process. */
const wallClock = Date.now;

export function connectHistory(port: number): Target {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => process.exit(1)); // the rig is gone
  const waiting = new Map<number, (answer: number) => void>();
  let last = 0;
  createInterface(socket)
    .on('error', () => {})
    .on('line', (line) => {
      const [n, answer] = line.split(' ').map(Number);
      waiting.get(n ?? 0)?.(answer ?? 0);
      waiting.delete(n ?? 0);
    });
  const ask = (what: Said) =>
    new Promise<number>((resolve) => {
      waiting.set(++last, resolve);
      socket.write(`${JSON.stringify({ n: last, ...what })}\n`);
    });
  void ask({ kind: 'hello', pid: process.pid });
  let looked = { monotonic: performance.now(), wall: wallClock() };
  setInterval(() => {
    const now = { monotonic: performance.now(), wall: wallClock() };
    const ms = Math.max(now.monotonic - looked.monotonic, now.wall - looked.wall) - LOOK_MS;
    looked = now;
    if (ms > STALL_MS) void ask({ kind: 'stalled', ms });
  }, LOOK_MS).unref();
  return {
    tell: async (deed) => (await ask(deed)) === 1,
    available: () => ask({ kind: 'feed' }),
  };
}
