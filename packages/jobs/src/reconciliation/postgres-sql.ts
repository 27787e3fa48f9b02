/**
 * Every statement that reconciliation and restore send to PostgreSQL. Rows travel as parallel arrays, so a batch is one
 * statement whatever its size. The update and its backup are one statement, thus one transaction. The lists of ids
 * beside the joins keep the planner at the index: it knows nothing of the size of an unnested array and else reads the
 * whole team for every batch.
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
)`;

export const BACKUP_TABLE_EXISTS = `SELECT to_regclass('posthog_person_reconciliation_backup') IS NOT NULL AS found`;

/** Two sessions that create the table at once would trip over each other. */
export const LOCK_SCHEMA = `SELECT pg_advisory_xact_lock(hashtext('skein:posthog_person_reconciliation_backup'))`;

/** $1 application name. A lock is waited for 5 s, a statement may take half an hour. */
export const SESSION_SETTINGS = `SELECT set_config('application_name', $1, false), set_config('lock_timeout', '5s', false),
  set_config('statement_timeout', '30min', false), set_config('idle_in_transaction_session_timeout', '30min', false)`;

/** Reconciliation and restore of one team exclude each other: $1 the class of locks, $2 team. */
export const LOCK_TEAM = 'SELECT pg_advisory_lock($1::integer, $2::integer)';
export const TEAM_LOCK_CLASS = 0x736b_7072;
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

/** A map that is NULL, or anything but an object, counts as empty. */
const objectOf = (column: string) => `CASE WHEN jsonb_typeof(${column}) = 'object' THEN ${column} ELSE '{}' END`;

/** The backup of what a CTE `updated` returns: columns of the row as it was are called `old_…`. */
const backUp = (run: string, onConflict = '') => `
backed_up AS (
  INSERT INTO posthog_person_reconciliation_backup AS b (
    job_id, team_id, person_id, uuid, properties, properties_last_updated_at, properties_last_operation, version,
    is_identified, created_at, is_user_id, pending_operations,
    properties_after, properties_last_updated_at_after, properties_last_operation_after, version_after)
  SELECT ${run}, $1, id, uuid, old_properties, old_last_updated_at, old_last_operation, old_version,
    is_identified, created_at, is_user_id, pending::jsonb,
    properties, properties_last_updated_at, properties_last_operation, version
  FROM updated${onConflict}
)`;

/** A second change of a person in one run (a new attempt) keeps the first state before and the last state after. */
const KEEP_FIRST_BEFORE = `
  ON CONFLICT (job_id, team_id, person_id) DO UPDATE SET
    pending_operations = b.pending_operations || excluded.pending_operations,
    properties_after = excluded.properties_after,
    properties_last_updated_at_after = excluded.properties_last_updated_at_after,
    properties_last_operation_after = excluded.properties_last_operation_after,
    version_after = excluded.version_after`;

/** Of the row before; the row that is updated is this very row, because its version is. */
const OLD_COLUMNS = `old.properties AS old_properties, old.properties_last_updated_at AS old_last_updated_at,
    old.properties_last_operation AS old_last_operation, old.version AS old_version`;
const NEW_COLUMNS = `p.id, p.uuid, p.properties, p.properties_last_updated_at, p.properties_last_operation, p.version,
    p.is_identified, p.created_at, p.is_user_id`;

/**
 * Changes applied where they lie, to rows of the version that they were found against; the rules are those of
 * `applyChanges`. A row that has a key of `onces` (set_once of a key that ClickHouse lacks) is left to them.
 *
 * Each person is found by one descent of an index and updated at the place where it was found; nothing is copied on the
 * way. The OFFSET, and that all that is said of `p` is said of `old`, keep the planner from joining in another order:
 * by the version alone, which all have in common, it would pair everybody with everybody. The place is only a way to the
 * row; what makes it the right one is its id and version, which hold when another session moved it meanwhile.
 *
 * $1 team, $2 uuids, $3 versions, $4 values, $5 their moments, $6 their operations (JSON objects by key), $7 keys unset,
 * $8 keys of onces (array literals), $9 pending operations.
 */
const APPLY = `
WITH updated AS (
  UPDATE posthog_person p
  SET properties = (${objectOf('p.properties')} || i.assigned::jsonb) - i.unset::text[],
    properties_last_updated_at = (${objectOf('p.properties_last_updated_at')} || i.moments::jsonb) - i.unset::text[],
    properties_last_operation = (${objectOf('p.properties_last_operation')} || i.operations::jsonb) - i.unset::text[],
    version = old.expected + 1
  FROM unnest($2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
    AS i(uuid, version, assigned, moments, operations, unset, onces, pending)
  CROSS JOIN LATERAL (
    SELECT o.ctid AS place, o.id, o.properties, o.properties_last_updated_at, o.properties_last_operation, o.version,
      i.version AS expected
    FROM posthog_person o
    WHERE o.team_id = $1 AND o.uuid = i.uuid AND coalesce(o.version, 0) = i.version
      AND NOT o.properties ?| i.onces::text[]
    OFFSET 0
  ) AS old
  WHERE p.team_id = $1 AND p.ctid = old.place AND p.id = old.id AND coalesce(p.version, 0) = old.expected
  RETURNING ${NEW_COLUMNS}, ${OLD_COLUMNS}, i.pending
)`;

const APPLIED = `
SELECT uuid::text AS uuid, properties::text AS properties, version::text AS version, is_identified,
  to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') AS created_at
FROM updated`;

export type AppliedRow = Pick<PersonRow, 'uuid' | 'properties' | 'version' | 'is_identified' | 'created_at'>;

export const APPLY_CHANGES = `${APPLY}${APPLIED}`;

/**
 * As above, and $10 run. Refused when the run has a backup of one of the persons already: to be ready for that costs a
 * seventh of the statement.
 */
export const APPLY_AND_BACK_UP_CHANGES = `${APPLY},${backUp('$10')}${APPLIED}`;

/**
 * Whole new states.
 *
 * $1 team, $2 ids, $3 versions expected, $4 versions after, $5 properties, $6 last updated at, $7 last operation,
 * $8 pending operations.
 */
const UPDATE = `
WITH old AS MATERIALIZED (
  SELECT p.*, i.version AS expected, i.version_after, i.new_properties, i.new_last_updated_at, i.new_last_operation, i.pending
  FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[])
    AS i(id, version, version_after, new_properties, new_last_updated_at, new_last_operation, pending)
  JOIN posthog_person p ON p.id = i.id
  WHERE p.team_id = $1 AND p.id = ANY($2::bigint[]) AND coalesce(p.version, 0) = i.version
),
updated AS (
  UPDATE posthog_person p
  SET properties = old.new_properties::jsonb, properties_last_updated_at = old.new_last_updated_at::jsonb,
    properties_last_operation = old.new_last_operation::jsonb, version = old.version_after
  FROM old
  WHERE p.team_id = $1 AND p.id = old.id AND coalesce(p.version, 0) = old.expected
  RETURNING ${NEW_COLUMNS}, ${OLD_COLUMNS}, old.pending
)`;

export const UPDATE_PERSONS = `${UPDATE} SELECT id::text AS id FROM updated`;

/** As above, and $9 run. */
export const UPDATE_AND_BACK_UP_PERSONS = `${UPDATE},${backUp('$9', KEEP_FIRST_BEFORE)} SELECT id::text AS id FROM updated`;
