/**
 * Every statement to PostgreSQL. The operation's own tables lie in the schema `skein_labels`; `affected_<operation>`
 * holds the ids of the affected conversations, each with the day (unit) that writes it. COPY takes no bound parameters,
 * so its values are bound by `set_config` in the same transaction and read by `current_setting`.
 */

import { ConfigInvalidError } from '@skein/orchestrator';

import type { Selection } from './config.ts';

/** Created when first needed; the lock keeps two first runs from colliding. */
export const CREATE_OWN_SCHEMA = `
  SELECT pg_advisory_xact_lock(hashtext('skein_labels'));
  CREATE SCHEMA IF NOT EXISTS skein_labels;
  CREATE TABLE IF NOT EXISTS skein_labels.leases (
    customer_id text PRIMARY KEY,
    run_id      text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('regular', 'day', 'backfill')),
    holder      text NOT NULL,
    taken_at    timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL
  );
  CREATE TABLE IF NOT EXISTS skein_labels.operations (
    operation   text PRIMARY KEY,
    run_id      text NOT NULL,
    customer_id text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    state       jsonb NOT NULL
  );
  CREATE TABLE IF NOT EXISTS skein_labels.regular_labelling (
    customer_id text PRIMARY KEY,
    range_start timestamptz NOT NULL,
    range_end   timestamptz NOT NULL,
    run_id      text NOT NULL,
    finished_at timestamptz NOT NULL DEFAULT now()
  );`;

export const SELECT_ENABLED_PROFILES = `
  SELECT customer_id, profile_id, clickhouse_database, d.customers::int AS customers
  FROM app.profiles p
  JOIN (SELECT clickhouse_database AS name, count(DISTINCT customer_id) AS customers FROM app.profiles GROUP BY 1) d
    ON d.name = p.clickhouse_database
  WHERE p.enabled ORDER BY customer_id, profile_id`;

/** @throws ConfigInvalidError unless the operation is 16 hexadecimal digits */
export function affectedTable(operation: string): string {
  if (!/^[0-9a-f]{16}$/.test(operation))
    throw new ConfigInvalidError(`“${operation.slice(0, 40)}” is not an operation of the labelling.`);
  return `skein_labels.affected_${operation}`;
}

/** $1 customer, $2 profiles, $3 and $4 the windows' starts and ends. Eligible or not: what is not eligible must go. */
export function createAffected(operation: string, selection: Selection): string {
  const column = selection === 'ended_at' ? 'c.ended_at' : 'c.created_at';
  return `
  CREATE TABLE ${affectedTable(operation)} AS
  SELECT (${column} AT TIME ZONE 'UTC')::date AS unit, c.profile_id, c.conversation_id
  FROM app.chats c
  JOIN unnest($3::timestamptz[], $4::timestamptz[]) AS w(starts, ends) ON ${column} >= w.starts AND ${column} < w.ends
  WHERE c.customer_id = $1::text AND c.profile_id = ANY($2::text[])
  ORDER BY 1`;
}

/** $1 … as above; how many conversations would be selected, nothing written. */
export function countSelected(selection: Selection): string {
  const column = selection === 'ended_at' ? 'c.ended_at' : 'c.created_at';
  return `
  SELECT count(*)::int AS selected,
         (count(*) FILTER (WHERE ${eligible(selection)}))::int AS eligible
  FROM app.chats c
  JOIN unnest($3::timestamptz[], $4::timestamptz[]) AS w(starts, ends) ON ${column} >= w.starts AND ${column} < w.ends
  LEFT JOIN app.agents g ON g.customer_id = c.customer_id AND g.agent_user_id = c.agent_user_id
  WHERE c.customer_id = $1::text AND c.profile_id = ANY($2::text[])`;
}

export function indexAffected(operation: string): string {
  const table = affectedTable(operation);
  return `CREATE INDEX ON ${table} (unit); ANALYZE ${table}`;
}

export const dropAffected = (operation: string) => `DROP TABLE IF EXISTS ${affectedTable(operation)}`;
export const copyAffectedOut = (operation: string) =>
  `COPY (SELECT unit, profile_id, conversation_id, 0 FROM ${affectedTable(operation)}) TO STDOUT`;
export const copyAffectedIn = (operation: string) =>
  `COPY ${affectedTable(operation)} (unit, profile_id, conversation_id) FROM STDIN`;
export const unitIds = (operation: string) =>
  `SELECT profile_id, conversation_id FROM ${affectedTable(operation)} WHERE unit = $1::date ORDER BY 1, 2`;

/** Values of one COPY, bound in its transaction: $1 customer, $2 job clock, $3 unit or ''. */
export const BIND_COPY = `
  SELECT set_config('skein.customer', $1, true), set_config('skein.clock', $2, true), set_config('skein.unit', $3, true),
         set_config('timezone', 'UTC', true), set_config('work_mem', '96MB', true)`;

function eligible(selection: Selection): string {
  const closed = selection === 'ended_at' ? ' AND c.ended_at IS NOT NULL' : '';
  return `c.deleted_at IS NULL AND c.source IN (0, 8) AND g.is_dev_user IS NOT TRUE${closed}`;
}

/**
 * Chats of one unit's affected conversations. Nearly all lie in the unit's day, where one index range finds them; the
 * few others are looked up by key. Joining the table by id alone would read all of it for each day.
 */
function chatsOfUnit(operation: string, selection: Selection, customer: string, unit: string): string {
  const column = selection === 'ended_at' ? 'c.ended_at' : 'c.created_at';
  const table = affectedTable(operation);
  return `
    ours AS MATERIALIZED (SELECT profile_id, conversation_id FROM ${table} WHERE unit = ${unit}),
    here AS MATERIALIZED (
      SELECT c.* FROM app.chats c JOIN ours a ON a.profile_id = c.profile_id AND a.conversation_id = c.conversation_id
      WHERE c.customer_id = ${customer}
        AND ${column} >= ${unit}::timestamp AT TIME ZONE 'UTC' AND ${column} < (${unit} + 1)::timestamp AT TIME ZONE 'UTC'
    ),
    elsewhere AS MATERIALIZED (
      SELECT a.* FROM ours a
      WHERE NOT EXISTS (SELECT 1 FROM here h WHERE h.profile_id = a.profile_id AND h.conversation_id = a.conversation_id)
    ),
    chats AS (
      SELECT * FROM here
      UNION ALL
      SELECT c.* FROM elsewhere a CROSS JOIN LATERAL (
        SELECT * FROM app.chats c
        WHERE c.customer_id = ${customer} AND c.profile_id = a.profile_id AND c.conversation_id = a.conversation_id OFFSET 0) c
    )`;
}

/** Chats of all affected conversations. */
function chatsOfAll(operation: string, customer: string): string {
  return `
    chats AS (
      SELECT c.* FROM ${affectedTable(operation)} a
      JOIN app.chats c ON c.customer_id = ${customer} AND c.profile_id = a.profile_id AND c.conversation_id = a.conversation_id
    )`;
}

/**
 * Affected conversations as the source says now, eligible ones only, one row each: of one unit, or of all. Online
 * intervals are merged into one multirange an agent, over the time that the picked conversations span, so a
 * conversation costs one search in it, and long conversations keep theirs. Both bounds count.
 * A conversation that ends before it starts is compared interval by interval: merging would change its answer.
 */
export function copyRows(
  operation: string,
  options: { readonly selection: Selection; readonly unit: boolean; readonly withClock: boolean },
): string {
  const customer = `current_setting('skein.customer')`;
  const chats = options.unit
    ? chatsOfUnit(operation, options.selection, customer, `current_setting('skein.unit')::date`)
    : chatsOfAll(operation, customer);
  return `
  COPY (
    WITH ${chats}, picked AS MATERIALIZED (
      SELECT c.profile_id, c.conversation_id, coalesce(c.agent_user_id, '') AS agent_user_id,
             coalesce(c.usecase_id, '') AS usecase_id, c.source, c.created_at, c.ended_at,
             coalesce(c.ended_at, current_setting('skein.clock')::timestamptz) AS until
      FROM chats c
      LEFT JOIN app.agents g ON g.customer_id = c.customer_id AND g.agent_user_id = c.agent_user_id
      WHERE ${eligible(options.selection)}
    ), span AS (
      SELECT min(least(created_at, until)) AS first, max(greatest(created_at, until)) AS last FROM picked
    ), online AS MATERIALIZED (
      SELECT o.agent_user_id, range_agg(tstzrange(o.online_from, o.online_to, '[]')) AS spans
      FROM app.agent_online o, span
      WHERE o.customer_id = current_setting('skein.customer') AND o.online_from <= span.last
        AND (o.online_to IS NULL OR (o.online_to >= span.first AND o.online_to >= o.online_from))
      GROUP BY o.agent_user_id
    )
    SELECT current_setting('skein.customer'), p.profile_id, p.conversation_id, p.agent_user_id, p.usecase_id,
           date_trunc('milliseconds', p.created_at AT TIME ZONE 'UTC'),
           coalesce(date_trunc('milliseconds', p.ended_at AT TIME ZONE 'UTC'), timestamp '1970-01-01'),
           CASE
             WHEN o.spans IS NULL THEN 0
             WHEN p.until >= p.created_at THEN (o.spans && tstzrange(p.created_at, p.until, '[]'))::int
             ELSE (EXISTS (SELECT 1 FROM app.agent_online i
                           WHERE i.customer_id = current_setting('skein.customer') AND i.agent_user_id = p.agent_user_id
                             AND i.online_from <= p.until AND (i.online_to IS NULL OR i.online_to >= p.created_at)))::int
           END,
           p.source${options.withClock ? `, current_setting('skein.clock')::timestamptz AT TIME ZONE 'UTC'` : ''}
    FROM picked p LEFT JOIN online o USING (agent_user_id)
  ) TO STDOUT`;
}

/** Why affected conversations of a unit are not written: $1 customer, $2 unit. */
export function countUnitReasons(operation: string, selection: Selection): string {
  return `
  WITH ${chatsOfUnit(operation, selection, '$1::text', '$2::date')}
  SELECT (SELECT count(*) FROM ours)::int AS affected,
         ((SELECT count(*) FROM ours) - count(*))::int AS gone_from_source,
         (count(*) FILTER (WHERE c.deleted_at IS NOT NULL))::int AS deleted,
         (count(*) FILTER (WHERE c.deleted_at IS NULL AND c.source NOT IN (0, 8)))::int AS other_source,
         (count(*) FILTER (WHERE c.deleted_at IS NULL AND c.source IN (0, 8) AND g.is_dev_user))::int AS dev_user,
         (count(*) FILTER (WHERE c.deleted_at IS NULL AND c.source IN (0, 8) AND g.is_dev_user IS NOT TRUE AND c.ended_at IS NULL))::int AS open
  FROM chats c
  LEFT JOIN app.agents g ON g.customer_id = c.customer_id AND g.agent_user_id = c.agent_user_id`;
}
