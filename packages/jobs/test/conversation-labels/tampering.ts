/** A ClickHouse client that passes everything on, except for what a test changes on the way. */

import type { ClickHouse, QueryOptions } from '@skein/jobs';
import { ServiceError } from '@skein/orchestrator';

type Pass<T> = (sql: string) => Promise<T>;

export interface Tampering {
  command?(
    sql: string,
    pass: Pass<{ readonly writtenRows: number | undefined }>,
    options: QueryOptions | undefined,
  ): Promise<{ readonly writtenRows: number | undefined }>;
  rows?(sql: string, pass: Pass<unknown[]>): Promise<unknown[]>;
  insert?(table: string, pass: () => Promise<void>): Promise<void>;
}

export function tamper(clickhouse: ClickHouse, { command, rows, insert }: Tampering): ClickHouse {
  return {
    ...clickhouse,
    command: (sql, options) =>
      command ? command(sql, (text) => clickhouse.command(text, options), options) : clickhouse.command(sql, options),
    rows: <T>(sql: string, options?: QueryOptions) =>
      rows
        ? (rows(sql, (text) => clickhouse.rows<T>(text, options)) as Promise<T[]>)
        : clickhouse.rows<T>(sql, options),
    insert: (table, values, options) =>
      insert
        ? insert(table, () => clickhouse.insert(table, values, options))
        : clickhouse.insert(table, values, options),
  };
}

export const isDelete = (sql: string) => /^ALTER TABLE .* DELETE WHERE/.test(sql);
export const isMutationList = (sql: string) => sql.includes('system.mutations');

export function clickhouseError(code: number, message: string): ServiceError {
  return new ServiceError('clickhouse', `ClickHouse refused: ${message}`, {
    details: { clickhouse_code: String(code) },
  });
}
