/** What the commands about pools ask of a Skein: of the ledger, or of a server over HTTP. */

import type { z } from 'zod';

import type { Pool } from '../../api/routes/pools.ts';
import type { Session } from '../session.ts';

export type ShownPool = z.input<typeof Pool>;

export interface PoolsPort {
  list(): Promise<readonly ShownPool[]>;
  /** @throws NotFoundError */
  set(name: string, limit: number): Promise<ShownPool>;
}

export async function openPools(session: Session): Promise<PoolsPort> {
  const { Pool, findPool, readPool } = await import('../../api/routes/pools.ts');
  const { server } = session;
  if (server) {
    const { pageOf } = await import('../../api/schema.ts');
    return {
      list: async () => (await server.ask('GET', '/pools', pageOf(Pool))).items,
      set: (name, limit) => server.ask('PUT', `/pools/${encodeURIComponent(name)}`, Pool, { body: { limit } }),
    };
  }
  const { poolNames, setPoolLimit } = await import('../../engine/pools.ts');
  const engine = await session.engine();
  return {
    list: () => Promise.all(poolNames(engine).map((name) => readPool(engine, name))),
    async set(name, limit) {
      const before = await findPool(engine, name);
      await setPoolLimit(engine, name, limit, session.by);
      await session.audit({ action: 'skein pools set', target: `pool:${name}`, before: before.limit, after: limit });
      return readPool(engine, name);
    },
  };
}
