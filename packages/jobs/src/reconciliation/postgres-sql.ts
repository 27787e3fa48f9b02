/**
 * Every statement that reconciliation and restore send to PostgreSQL. Rows travel as parallel arrays, so a batch is one
 * statement whatever its size. The update and its backup are one statement, thus one transaction.
 */

/** Made when missing, as the source system has it. */
export const CREATE_BACKUP_TABLE = `
CREATE TABLE IF NOT EXISTS posthog_person_reconciliation_backup (
  job_id                           text NOT NULL,
  team_id                          integer NOT NULL,
  person_id                        bigint NOT NULL,
  uuid                             uuid NOT NULL,
  properties                       jsonb NOT NULL,
  properties_last_updated_at       jsonb,
  properties_last_operation        jsonb,
  version                          bigint,
  is_identified                    boolean NOT NULL,
  created_at                       timestamptz NOT NULL,
  is_user_id                       integer,
  pending_operations               jsonb NOT NULL,
  properties_after                 jsonb,
  properties_last_updated_at_after jsonb,
  properties_last_operation_after  jsonb,
  version_after                    bigint,
  backed_up_at                     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (job_id, team_id, person_id)
);
CREATE INDEX IF NOT EXISTS person_reconciliation_backup_team_person
  ON posthog_person_reconciliation_backup (team_id, person_id)`;

export const BACKUP_TABLE_EXISTS = `SELECT to_regclass('posthog_person_reconciliation_backup') IS NOT NULL AS found`;

/** Two sessions that create the table at once would trip over each other. */
export const LOCK_SCHEMA = `SELECT pg_advisory_xact_lock(hashtext('skein:posthog_person_reconciliation_backup'))`;

/** $1 application name. A lock is waited for 5 s, a statement may take half an hour. */
export const SESSION_SETTINGS = `SELECT set_config('application_name', $1, false), set_config('lock_timeout', '5s', false),
  set_config('statement_timeout', '30min', false), set_config('idle_in_transaction_session_timeout', '30min', false)`;

/** Reconciliation and restore of one team exclude each other: $1 the class of locks, $2 team. */
export const LOCK_TEAM = 'SELECT pg_advisory_lock($1::integer, $2::integer)';
export const TEAM_LOCK_CLASS = 0x736b_7072;
/** Further connections of a session share a second lock; a new session waits until those of a lost one are gone. */
export const LANE_LOCK_CLASS = 0x736b_7073;
export const LOCK_LANE = 'SELECT pg_advisory_lock_shared($1::integer, $2::integer)';
export const WAIT_FOR_LANES =
  'SELECT pg_advisory_lock($1::integer, $2::integer), pg_advisory_unlock($1::integer, $2::integer)';
export const END_SESSION = 'SELECT pg_advisory_unlock_all(); RESET ALL';

const PERSON_COLUMNS = `p.id::text AS id, p.uuid::text AS uuid, p.properties::text AS properties,
  p.properties_last_updated_at::text AS last_updated_at, p.properties_last_operation::text AS last_operation,
  coalesce(p.version, 0)::text AS version, p.is_identified,
  to_char(p.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') AS created_at`;

export interface PersonRow {
  readonly id: string;
  readonly uuid: string;
  readonly properties: string;
  readonly last_updated_at: string | null;
  readonly last_operation: string | null;
  readonly version: string;
  readonly is_identified: boolean;
  readonly created_at: string;
}

/** $1 team, $2 uuids. */
export const PERSONS_BY_UUID = `SELECT ${PERSON_COLUMNS} FROM posthog_person p WHERE p.team_id = $1 AND p.uuid = ANY($2::uuid[])`;

/** $1 team, $2 ids. */
export const PERSONS_BY_ID = `SELECT ${PERSON_COLUMNS} FROM posthog_person p WHERE p.team_id = $1 AND p.id = ANY($2::bigint[])`;

/**
 * The list of ids beside the join keeps the planner at the index: it knows nothing of the size of an unnested array and
 * else reads the whole team for every batch.
 *
 * $1 team, $2 ids, $3 versions expected, $4 versions after, $5 properties, $6 last updated at, $7 last operation.
 */
const UPDATE = `
input AS (
  SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[])
    AS i(id, version, version_after, properties, last_updated_at, last_operation)
),
updated AS (
  UPDATE posthog_person p
  SET properties = i.properties::jsonb, properties_last_updated_at = i.last_updated_at::jsonb,
    properties_last_operation = i.last_operation::jsonb, version = i.version_after
  FROM input i
  WHERE p.team_id = $1 AND p.id = ANY($2::bigint[]) AND p.id = i.id AND coalesce(p.version, 0) = i.version
  RETURNING p.id, p.properties, p.properties_last_updated_at, p.properties_last_operation, p.version
)`;

export const UPDATE_PERSONS = `WITH ${UPDATE} SELECT id::text AS id FROM updated`;

/**
 * As above, and $8 run, $9 pending operations by position of $2. The statement's snapshot still shows the rows before.
 * A second change of a person in one run (a new attempt) keeps the first state before and the last state after.
 */
export const UPDATE_AND_BACK_UP_PERSONS = `
WITH ${UPDATE},
backed_up AS (
  INSERT INTO posthog_person_reconciliation_backup AS b (
    job_id, team_id, person_id, uuid, properties, properties_last_updated_at, properties_last_operation, version,
    is_identified, created_at, is_user_id, pending_operations,
    properties_after, properties_last_updated_at_after, properties_last_operation_after, version_after)
  SELECT $8, old.team_id, old.id, old.uuid, old.properties, old.properties_last_updated_at, old.properties_last_operation,
    old.version, old.is_identified, old.created_at, old.is_user_id, pending.operations::jsonb,
    updated.properties, updated.properties_last_updated_at, updated.properties_last_operation, updated.version
  FROM updated
  JOIN posthog_person old ON old.team_id = $1 AND old.id = updated.id
  JOIN unnest($2::bigint[], $9::text[]) AS pending(id, operations) ON pending.id = updated.id
  ON CONFLICT (job_id, team_id, person_id) DO UPDATE SET
    pending_operations = b.pending_operations || excluded.pending_operations,
    properties_after = excluded.properties_after,
    properties_last_updated_at_after = excluded.properties_last_updated_at_after,
    properties_last_operation_after = excluded.properties_last_operation_after,
    version_after = excluded.version_after
)
SELECT id::text AS id FROM updated`;
