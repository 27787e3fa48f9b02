/**
 * Owns the embedded ClickHouse engine of this process. One base session stays open to the end; each request gets a
 * session of its own on the same data (0.15 ms), so settings, database and parameters cannot leak into the next one.
 * Requests that name a `session_id` share one, one at a time, as on a server.
 */

import { Session } from 'chdb';

import { EngineError } from './failure.ts';

export interface EngineSpec {
  readonly dataDirectory: string;
  readonly configFile: string;
  /** Queries at once; the thread pool must be larger, so that a KILL never waits for what it kills. */
  readonly concurrency: number;
}

export interface Lease {
  readonly session: Session;
  release(): void;
}

export interface Engine {
  /** For the bridge's own statements. */
  readonly base: Session;
  lease(options: {
    readonly sessionId: string | undefined;
    readonly timeoutSeconds: number;
    readonly urgent: boolean;
  }): Promise<Lease>;
  close(): void;
}

interface NamedSession {
  readonly session: Session;
  busy: boolean;
  expiry: NodeJS.Timeout | undefined;
}

export function openEngine(spec: EngineSpec): Engine {
  const open = () => new Session(spec.dataDirectory, { connectionArgs: [`--config-file=${spec.configFile}`] });
  const base = open();
  const named = new Map<string, NamedSession>();
  const waiting: (() => void)[] = [];
  let free = spec.concurrency;

  const takeSlot = async () => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const giveSlot = () => {
    const next = waiting.shift();
    if (next) next();
    else free++;
  };

  const leaseNamed = (id: string, timeoutSeconds: number): Lease => {
    const entry = named.get(id) ?? { session: open(), busy: false, expiry: undefined };
    if (entry.busy) throw new EngineError(373, 'SESSION_IS_LOCKED', `Session ${id} is locked by a concurrent client`);
    named.set(id, entry);
    clearTimeout(entry.expiry);
    entry.busy = true;
    const expire = () => {
      named.delete(id);
      entry.session.close();
    };
    return {
      session: entry.session,
      release() {
        entry.busy = false;
        entry.expiry = setTimeout(expire, timeoutSeconds * 1000).unref();
      },
    };
  };

  return {
    base,
    async lease({ sessionId, timeoutSeconds, urgent }) {
      if (!urgent) await takeSlot();
      try {
        const lease = sessionId === undefined ? leaseOwn(open()) : leaseNamed(sessionId, timeoutSeconds);
        return {
          session: lease.session,
          release() {
            lease.release();
            if (!urgent) giveSlot();
          },
        };
      } catch (error) {
        if (!urgent) giveSlot();
        throw error;
      }
    },
    close() {
      for (const { session } of named.values()) session.close();
      base.close();
    },
  };
}

function leaseOwn(session: Session): Lease {
  return { session, release: () => session.close() };
}
