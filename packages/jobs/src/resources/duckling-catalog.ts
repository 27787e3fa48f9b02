/**
 * The catalog of ducklings: rows of `ducklake_catalog` in Skein's app database, one a team. It says where a team's lake
 * lies and by which role it is reached. A row never holds a password, only a reference to one.
 */

import { type JsonObject, NotFoundError, RefusedError, ServiceError } from '@skein/orchestrator';
import pg from 'pg';
import { z } from 'zod';

import { isCatalogHost } from './catalog-host.ts';
import { asPostgresError } from './postgres.ts';

const text = (max: number) => z.string().trim().min(1).max(max);
const emptyIsNull = (max: number) =>
  z
    .string()
    .trim()
    .max(max)
    .nullish()
    .transform((value) => (value === '' || value === undefined ? null : value));

/** A row as people write it; the messages name the column. */
export const DucklingRow = z.object({
  team_id: z.int().positive(),
  // Amazon's rule for names; it also keeps a bucket from leaving the directory of a file store.
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'use 3 to 63 lower-case letters, digits, dots and hyphens'),
  bucket_region: z
    .string()
    .regex(/^[a-z0-9-]{0,50}$/, 'is no region')
    .default('us-east-1')
    .transform((region) => region || 'us-east-1'),
  db_host: text(255).refine(isCatalogHost, 'write the name or address of a PostgreSQL server, without a port'),
  db_port: z.int().min(1).max(65_535).default(5432),
  db_name: text(255).default('ducklake'),
  db_username: text(255),
  db_password: z
    .string()
    .regex(
      /^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/s,
      'write a reference, env:NAME or file:PATH; the password itself is never stored',
    ),
  cross_account_role_arn: emptyIsNull(255),
  cross_account_external_id: emptyIsNull(500),
  enabled: z.boolean().default(true),
});
export type Duckling = z.output<typeof DucklingRow>;
export type DucklingInput = z.input<typeof DucklingRow>;

/** As it may be shown to anyone: whether there is an external id, not which. */
export function publicRow({ cross_account_external_id, ...row }: Duckling): JsonObject {
  return { ...row, has_external_id: cross_account_external_id !== null };
}

export interface DucklingCatalog {
  /** Ordered by team. */
  list(options?: { readonly enabledOnly?: boolean }): Promise<Duckling[]>;
  /** @throws NotFoundError that names the team */
  get(teamId: number): Promise<Duckling>;
  /** @throws RefusedError when the team has one */
  add(row: Duckling): Promise<void>;
  /** @throws NotFoundError */
  edit(row: Duckling): Promise<void>;
  /** Removes the row only; the lake's tables and objects stay. @throws NotFoundError */
  remove(teamId: number): Promise<void>;
}

const COLUMNS = Object.keys(DucklingRow.shape) as (keyof Duckling)[];
const SELECT = `SELECT ${COLUMNS.join(', ')} FROM ducklake_catalog`;
const INSERT = `INSERT INTO ducklake_catalog (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map((_, i) => `$${i + 1}`).join(', ')}) ON CONFLICT DO NOTHING`;
const UPDATE = `UPDATE ducklake_catalog SET ${COLUMNS.map((c, i) => `${c} = $${i + 1}`).join(', ')}, updated_at = now() WHERE team_id = $1`;

export function createDucklingCatalog(pool: pg.Pool): DucklingCatalog {
  const query = async (sql: string, values: readonly unknown[]) => {
    try {
      return await pool.query<Record<string, unknown>>(sql, [...values]);
    } catch (error) {
      if (error instanceof pg.DatabaseError && error.code === '42P01') {
        throw new ServiceError(
          'postgres',
          'The table ducklake_catalog is missing in the app database (SKEIN_APP_DB_URL). Create it with “skein schemas apply --only ducklings”.',
          { retryable: false },
        );
      }
      throw asPostgresError(error);
    }
  };
  const noSuchTeam = (teamId: number) =>
    new NotFoundError(
      `Team ${teamId} has no duckling: ducklake_catalog has no row for it. Add one with “skein ducklings add --team-id ${teamId} …”.`,
      {
        details: { team_id: teamId },
      },
    );

  return {
    async list(options = {}) {
      const { rows } = await query(
        `${SELECT} ${options.enabledOnly === true ? 'WHERE enabled' : ''} ORDER BY team_id`,
        [],
      );
      return rows.map(parseRow);
    },
    async get(teamId) {
      const { rows } = await query(`${SELECT} WHERE team_id = $1`, [teamId]);
      if (!rows[0]) throw noSuchTeam(teamId);
      return parseRow(rows[0]);
    },
    async add(row) {
      const { rowCount } = await query(
        INSERT,
        COLUMNS.map((c) => row[c]),
      );
      if (rowCount === 0)
        throw new RefusedError(`Team ${row.team_id} has a duckling already; change it with “skein ducklings edit”.`);
    },
    async edit(row) {
      const { rowCount } = await query(
        UPDATE,
        COLUMNS.map((c) => row[c]),
      );
      if (rowCount === 0) throw noSuchTeam(row.team_id);
    },
    async remove(teamId) {
      const { rowCount } = await query('DELETE FROM ducklake_catalog WHERE team_id = $1', [teamId]);
      if (rowCount === 0) throw noSuchTeam(teamId);
    },
  };
}

/** Rows may have been written by other programs, so they are held to the same rules as a person's. */
function parseRow(row: Record<string, unknown>): Duckling {
  const parsed = DucklingRow.safeParse({ ...row, team_id: Number(row.team_id) });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new RefusedError(
    `The row of team ${String(row.team_id)} in ducklake_catalog is not valid: ${problems.join('; ')}. Correct it with “skein ducklings edit”.`,
  );
}
