/**
 * Moves a database from the legacy layout, whose sorting key holds what changes, to one in which a later row replaces an
 * earlier one by itself. The key of a table cannot be changed (the primary key must stay a prefix), so a new table is
 * filled with the newest version of each conversation and exchanged with the old one, which is kept beside it.
 * One server only; a cluster's operator gets the statements.
 */

import { RefusedError } from '@skein/orchestrator';

import type { ClickHouse } from '../resources/clickhouse.ts';
import { LabelsDisagreeError } from './errors.ts';
import { identifier } from './identifiers.ts';
import { LABEL_COLUMNS } from './label-sql.ts';
import { LABELS } from './place.ts';
import { readLayout } from './profiles.ts';

const NEW = `${LABELS}_immutable_key`;
const OLD = `${LABELS}_legacy`;
const KEY = ['customer_id', 'profile_id', 'conversation_id'] as const;

function migrationStatements(database: string): {
  readonly create: string;
  readonly fill: string;
  readonly exchange: string;
  readonly keep: string;
} {
  const table = (name: string) => `${identifier(database, 'database')}.${identifier(name, 'table')}`;
  const values = LABEL_COLUMNS.filter((column) => !KEY.some((key) => key === column));
  return {
    create: `CREATE TABLE ${table(NEW)} AS ${table(LABELS)} ENGINE = ReplacingMergeTree(update_time)
      PARTITION BY toYYYYMM(conversation_start_time) PRIMARY KEY (${KEY.join(', ')}) ORDER BY (${KEY.join(', ')})`,
    fill: `INSERT INTO ${table(NEW)} (${[...KEY, ...values].join(', ')})
      SELECT ${KEY.join(', ')}, ${values.map((_, i) => `newest.${i + 1}`).join(', ')} FROM (
        SELECT ${KEY.join(', ')}, argMax((${values.join(', ')}), update_time) AS newest FROM ${table(LABELS)} GROUP BY ${KEY.join(', ')})`,
    exchange: `EXCHANGE TABLES ${table(LABELS)} AND ${table(NEW)}`,
    keep: `RENAME TABLE ${table(NEW)} TO ${table(OLD)}`,
  };
}

export interface Migration {
  readonly rowsBefore: number;
  readonly rows: number;
  /** The old table, kept until somebody drops it. */
  readonly kept: string;
}

/** Nobody may write meanwhile: the caller holds the leases of all customers of the database. */
export async function migrateLayout(clickhouse: ClickHouse, database: string): Promise<Migration> {
  const { layout } = await readLayout(clickhouse, database);
  if (layout === 'immutable-key') throw new RefusedError(`${database}.${LABELS} has the new layout already.`);
  const statements = migrationStatements(database);
  await clickhouse.command(`DROP TABLE IF EXISTS ${identifier(database, 'database')}.${identifier(NEW, 'table')} SYNC`);
  await clickhouse.command(statements.create);
  await clickhouse.command(statements.fill);
  const counted = async (name: string, what: string) => {
    const [row] = await clickhouse.rows<{ n: string }>(
      `SELECT ${what} AS n FROM ${identifier(database, 'database')}.${identifier(name, 'table')}`,
    );
    return Number(row?.n ?? 0);
  };
  const [rowsBefore, conversations, rows] = [
    await counted(LABELS, 'count()'),
    await counted(LABELS, `uniqExact(${KEY.join(', ')})`),
    await counted(NEW, 'count()'),
  ];
  if (rows !== conversations)
    throw new LabelsDisagreeError(
      `${rows} rows were copied of ${conversations} conversations in ${database}; the tables were not exchanged.`,
    );
  await clickhouse.command(statements.exchange);
  await clickhouse.command(statements.keep);
  return { rowsBefore, rows, kept: `${database}.${OLD}` };
}
