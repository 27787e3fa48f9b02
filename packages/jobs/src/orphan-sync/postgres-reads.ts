/** What the orphan sync reads from the persons database, always one team and at most one batch at a time. */

import type pg from 'pg';

import { inTransaction } from '../resources/postgres.ts';
import type { Mapping } from './messages.ts';
import { DISTINCT_IDS_OF_PERSONS, EXISTING_PERSONS, LOOKUP_TIMEOUT, TEAM_HAS_PERSONS_IN_POSTGRES } from './sql.ts';

export interface LookUp {
  /** In the order of the persons asked for, then of their rows in PostgreSQL. */
  readonly mappings: readonly Mapping[];
  readonly personsWithIds: number;
  readonly notFound: readonly string[];
  /** Not found, split: in PostgreSQL without distinct ids, and not in PostgreSQL at all. Empty unless asked for. */
  readonly trulyOrphaned: readonly string[];
  readonly chOnly: readonly string[];
}

export async function teamHasPersons(pool: pg.Pool, teamId: number, signal: AbortSignal): Promise<boolean> {
  return (await query(pool, signal, TEAM_HAS_PERSONS_IN_POSTGRES, [teamId])).length > 0;
}

export async function lookUpDistinctIds(
  reader: pg.Pool,
  teamId: number,
  personIds: readonly string[],
  options: { readonly categorize: boolean; readonly signal: AbortSignal },
): Promise<LookUp> {
  type Row = { person_id: string; distinct_id: string; version: string };
  const rows = await query<Row>(reader, options.signal, DISTINCT_IDS_OF_PERSONS, [teamId, personIds]);
  const byPerson = new Map<string, Mapping[]>();
  for (const row of rows) {
    const mapping = { personId: row.person_id, distinctId: row.distinct_id, version: row.version };
    const known = byPerson.get(row.person_id);
    if (known) known.push(mapping);
    else byPerson.set(row.person_id, [mapping]);
  }
  const notFound = personIds.filter((id) => !byPerson.has(id));
  const existing =
    options.categorize && notFound.length > 0
      ? await existingPersons(reader, teamId, notFound, options.signal)
      : undefined;
  return {
    mappings: personIds.flatMap((id) => byPerson.get(id) ?? []),
    personsWithIds: byPerson.size,
    notFound,
    trulyOrphaned: existing ? notFound.filter((id) => existing.has(id)) : [],
    chOnly: existing ? notFound.filter((id) => !existing.has(id)) : [],
  };
}

/** Those of the persons that PostgreSQL has. */
export async function existingPersons(
  pool: pg.Pool,
  teamId: number,
  personIds: readonly string[],
  signal: AbortSignal,
): Promise<Set<string>> {
  const rows = await query<{ person_id: string }>(pool, signal, EXISTING_PERSONS, [teamId, personIds]);
  return new Set(rows.map((row) => row.person_id));
}

function query<T extends pg.QueryResultRow>(
  pool: pg.Pool,
  signal: AbortSignal,
  sql: string,
  values: readonly unknown[],
): Promise<T[]> {
  return inTransaction(pool, signal, async (client) => {
    await client.query(LOOKUP_TIMEOUT);
    return (await client.query<T>(sql, [...values])).rows;
  });
}
