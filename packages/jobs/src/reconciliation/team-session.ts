/**
 * One PostgreSQL connection for the work on one team: its settings, and the lock by which reconciliation and restore of
 * a team exclude each other. The lock lives in the connection that writes, so it ends with it, whatever happens.
 */

import { type ServiceError, WorkError } from '@skein/orchestrator';
import pg from 'pg';

import { asPostgresError, onConnection } from '../resources/postgres.ts';
import { END_SESSION, LOCK_TEAM, SESSION_SETTINGS, TEAM_LOCK_CLASS } from './postgres-sql.ts';

/** Another run reconciles or restores the team. */
class TeamBusyError extends WorkError {
  readonly code = 'TEAM_BUSY';
  override readonly retryable = true;
}

const LOCK_NOT_AVAILABLE = '55P03';

/** @throws TeamBusyError when the team is still locked after 5 s; ServiceError of PostgreSQL */
export async function withTeamSession<T>(
  pool: pg.Pool,
  signal: AbortSignal,
  session: { readonly teamId: number; readonly applicationName: string },
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  return onConnection(pool, signal, async (client) => {
    await client.query(SESSION_SETTINGS, [session.applicationName]);
    try {
      await lockTeam(client, session.teamId);
      return await work(client);
    } finally {
      await client.query(END_SESSION).catch(() => {});
    }
  });
}

async function lockTeam(client: pg.PoolClient, teamId: number): Promise<void> {
  try {
    await client.query(LOCK_TEAM, [TEAM_LOCK_CLASS, teamId]);
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === LOCK_NOT_AVAILABLE) {
      throw new TeamBusyError(
        `Team ${teamId} is being reconciled or restored by another run; try again when that has ended.`,
        {
          details: { team_id: teamId },
        },
      );
    }
    throw asPostgresError(error) as ServiceError;
  }
}
