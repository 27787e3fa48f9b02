/** How much PostgreSQL bears now: its connections, beside those that it allows. Reads statistics only. */

import type { ProbeContext, ProbeVerdict } from '@skein/orchestrator';
import type pg from 'pg';

import { limitFor } from './load.ts';

const LOAD = `
  SELECT
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::int AS connections,
    (current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int) AS allowed`;

/**
 * @param pool of the resources, the one to look through
 * @param options.connections at which it counts as full; default what the server allows
 */
export function postgresProbe<R>(pool: (resources: R) => pg.Pool, options: { readonly connections?: number } = {}) {
  return async ({ resources, signal, min, max }: ProbeContext<R>): Promise<ProbeVerdict> => {
    signal.throwIfAborted();
    const { rows } = await pool(resources).query<{ connections: number; allowed: number }>(LOAD);
    const { connections = 0, allowed = 0 } = rows[0] ?? {};
    return limitFor([{ what: 'connections', value: connections, full: options.connections ?? allowed }], { min, max });
  };
}
