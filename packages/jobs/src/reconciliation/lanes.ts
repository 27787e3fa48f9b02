/**
 * More connections for one team's batches, beside the one that holds the team's lock. Each holds a shared lock of its
 * own, for which every new session of the team waits: so nobody begins on the team while a batch of a session whose
 * first connection was lost is still being written.
 */

import pg from 'pg';

import { END_SESSION, LANE_LOCK_CLASS, LOCK_LANE, SESSION_SETTINGS } from './postgres-sql.ts';

export interface Lanes {
  /** Resolves when the work has begun on a free connection. @throws what an earlier piece of work failed with */
  start(work: (client: pg.ClientBase) => Promise<void>): Promise<void>;
  /** Resolves when all of it is done. @throws what a piece of work failed with */
  drain(): Promise<void>;
  /** Waits for what is under way, and closes the connections that were opened here. */
  close(): Promise<void>;
}

/** Beside the first. PostgreSQL's part of a batch is about three times Node's, so more would wait for Node. */
const EXTRA_CONNECTIONS = 2;

export function createLanes(first: pg.ClientBase, pool: pg.Pool, teamId: number): Lanes {
  // A pool of their own: connections of the shared pool are what other teams' sessions wait for.
  const extra = new pg.Pool({ ...pool.options, max: EXTRA_CONNECTIONS });
  extra.on('error', () => {});
  const opened: pg.PoolClient[] = [];
  const idle: pg.ClientBase[] = [first];
  const active = new Set<Promise<void>>();
  let most = EXTRA_CONNECTIONS;
  let failure: { readonly error: unknown } | undefined;

  const open = async (): Promise<pg.ClientBase> => {
    const client = await extra.connect();
    client.on('error', () => {});
    try {
      await client.query(SESSION_SETTINGS, ['person_property_reconciliation']);
      await client.query(LOCK_LANE, [LANE_LOCK_CLASS, teamId]);
    } catch (error) {
      client.release(true);
      throw error;
    }
    opened.push(client);
    return client;
  };
  /** Undefined when the server has no connection to spare: then those that are there must do. */
  const openOne = async () => {
    try {
      return await open();
    } catch {
      most = opened.length;
      return undefined;
    }
  };
  const throwIfFailed = () => {
    if (failure) throw failure.error;
  };

  return {
    async start(work) {
      let client: pg.ClientBase | undefined;
      while (!client) {
        throwIfFailed();
        client = idle.pop() ?? (opened.length < most ? await openOne() : undefined);
        if (!client) await Promise.race(active);
      }
      throwIfFailed();
      const connection = client;
      const task: Promise<void> = work(connection)
        .then(
          () => void idle.push(connection),
          (error: unknown) => void (failure ??= { error }),
        )
        .finally(() => active.delete(task));
      active.add(task);
    },
    async drain() {
      await Promise.all(active);
      throwIfFailed();
    },
    async close() {
      await Promise.all(active);
      await Promise.all(opened.map((client) => client.query(END_SESSION).catch(() => {})));
      for (const client of opened) client.release(true);
      await extra.end();
    },
  };
}
