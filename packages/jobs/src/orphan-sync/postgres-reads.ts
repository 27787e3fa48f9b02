/** What the orphan sync reads from the persons database, always one team and at most one batch at a time. */

import type pg from 'pg';

import { inTransaction } from '../resources/postgres.ts';
import type { Mapping } from './messages.ts';
import {
  COUNT_SOFT_DELETE_COLUMNS,
  LOOKUP_SETTINGS,
  TEAM_HAS_PERSONS_IN_POSTGRES,
  distinctIdsOfPersons,
  existingPersons,
} from './sql.ts';

export interface LookUp {
  /** In the order of the persons asked for, then of their rows in PostgreSQL. */
  readonly mappings: readonly Mapping[];
  readonly personsWithIds: number;
  readonly notFound: readonly string[];
  /** Not found, split: in PostgreSQL without distinct ids, and not in PostgreSQL at all. Empty unless asked for. */
  readonly trulyOrphaned: readonly string[];
  readonly chOnly: readonly string[];
}

/** One team in one persons database: the reader's or the writer's. */
export class TeamInPostgres {
  private readonly pool: pg.Pool;
  private readonly teamId: number;
  private readonly signal: AbortSignal;
  private softDeletes: Promise<boolean> | undefined;

  constructor(pool: pg.Pool, teamId: number, signal: AbortSignal) {
    this.pool = pool;
    this.teamId = teamId;
    this.signal = signal;
  }

  async hasPersons(): Promise<boolean> {
    return (await this.rows(TEAM_HAS_PERSONS_IN_POSTGRES, [this.teamId])).length > 0;
  }

  async lookUp(personIds: readonly string[], options: { readonly categorize: boolean }): Promise<LookUp> {
    type Row = { person_id: string; distinct_id: string; version: string };
    const rows = await this.rows<Row>(distinctIdsOfPersons(await this.hasSoftDeletes()), [this.teamId, personIds]);
    const byPerson = new Map<string, Mapping[]>();
    for (const row of rows) {
      const mapping = { personId: row.person_id, distinctId: row.distinct_id, version: row.version };
      const known = byPerson.get(row.person_id);
      if (known) known.push(mapping);
      else byPerson.set(row.person_id, [mapping]);
    }
    const notFound = personIds.filter((id) => !byPerson.has(id));
    const existing = options.categorize && notFound.length > 0 ? await this.existing(notFound) : undefined;
    return {
      mappings: personIds.flatMap((id) => byPerson.get(id) ?? []),
      personsWithIds: byPerson.size,
      notFound,
      trulyOrphaned: existing ? notFound.filter((id) => existing.has(id)) : [],
      chOnly: existing ? notFound.filter((id) => !existing.has(id)) : [],
    };
  }

  /** Those of the persons that this database has. */
  async existing(personIds: readonly string[]): Promise<Set<string>> {
    const rows = await this.rows<{ person_id: string }>(existingPersons(await this.hasSoftDeletes()), [
      this.teamId,
      personIds,
    ]);
    return new Set(rows.map((row) => row.person_id));
  }

  private hasSoftDeletes(): Promise<boolean> {
    this.softDeletes ??= this.rows<{ columns: number }>(COUNT_SOFT_DELETE_COLUMNS, []).then(
      ([row]) => row?.columns === 2,
    );
    return this.softDeletes;
  }

  private rows<T extends pg.QueryResultRow>(sql: string, values: readonly unknown[]): Promise<T[]> {
    return inTransaction(this.pool, this.signal, async (client) => {
      await client.query(LOOKUP_SETTINGS);
      return (await client.query<T>(sql, [...values])).rows;
    });
  }
}
