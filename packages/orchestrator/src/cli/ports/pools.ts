/** What the commands about pools ask of a Skein: of the ledger, or of a server over HTTP. */

import type { z } from 'zod';

import type { Pool } from '../../api/routes/pools.ts';
import type { Session } from '../session.ts';

export type ShownPool = z.input<typeof Pool>;

interface PoolSet {
  readonly reason?: string | undefined;
  /** That must be current. */
  readonly ifVersion?: number | undefined;
}

export interface PoolsPort {
  list(): Promise<readonly ShownPool[]>;
  /** @throws NotFoundError; what is refused for its version, otherwise the same here and there */
  set(name: string, limit: number, word: PoolSet): Promise<ShownPool>;
}

export async function openPools(session: Session): Promise<PoolsPort> {
  const { Pool, findPool, readPool, toLimits } = await import('../../api/routes/pools.ts');
  const { server } = session;
  if (server) {
    const { askAll } = await import('../remote/server.ts');
    return {
      list: () => askAll(server, '/pools', Pool),
      set: (name, limit, { reason, ifVersion }) =>
        server.ask('PUT', `/pools/${encodeURIComponent(name)}`, Pool, {
          body: { limit, reason },
          headers: ifVersion === undefined ? {} : { 'if-match': `"${ifVersion}"` },
        }),
    };
  }
  const { poolNames, setPoolLimit } = await import('../../engine/pools.ts');
  const engine = await session.engine();
  return {
    list: () => Promise.all(poolNames(engine).map((name) => readPool(engine, name))),
    async set(name, limit, { reason, ifVersion }) {
      await findPool(engine, name);
      const { before, now } = await setPoolLimit(engine, name, limit, { by: session.by, reason, ifVersion });
      await session.audit({
        action: 'skein pools set',
        target: `pool:${name}`,
        reason,
        before: toLimits(before),
        after: toLimits({ ...now, setLimit: limit }),
      });
      return readPool(engine, name);
    },
  };
}
