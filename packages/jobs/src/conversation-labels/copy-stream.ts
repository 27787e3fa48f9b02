/**
 * Rows from PostgreSQL to ClickHouse as one stream: what COPY writes is what a TabSeparated insert reads, so Node only
 * passes buffers on, with back pressure. The COPY runs in a read-only transaction that binds its values, and an aborted
 * signal ends both sides.
 */

import { PassThrough, pipeline } from 'node:stream';

import type { ClickHouseSettings } from '@clickhouse/client';
import type pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';

import type { ClickHouse } from '../resources/clickhouse.ts';
import { abandon, inTransaction } from '../resources/postgres.ts';
import { BIND_COPY } from './source-sql.ts';

export interface Copy {
  readonly db: pg.Pool;
  readonly clickhouse: ClickHouse;
  readonly sql: string;
  readonly customerId: string;
  readonly clockMs: number;
  readonly unit?: string;
  readonly table: string;
  readonly columns: readonly string[];
  readonly settings?: ClickHouseSettings;
  readonly signal: AbortSignal;
}

/** Enough to keep both sides busy, little enough to wait for the slower one. */
const BUFFER_BYTES = 1 << 20;

/** Gives the number of rows that PostgreSQL sent. A failure on either side leaves an insert that must be undone. */
export async function copyToClickHouse(copy: Copy): Promise<number> {
  return inTransaction(copy.db, copy.signal, async (client) => {
    await client.query('SET TRANSACTION READ ONLY');
    await client.query(BIND_COPY, [copy.customerId, new Date(copy.clockMs).toISOString(), copy.unit ?? '']);
    const body = new PassThrough({ highWaterMark: BUFFER_BYTES });
    // The insert reports what became of it; a stream without a listener would end the process.
    body.on('error', () => {});
    const out = client.query(copyTo(copy.sql));
    let refused: { readonly reason: unknown } | undefined;
    let broken: { readonly reason: unknown } | undefined;
    const inserted = copy.clickhouse
      .insert(copy.table, body, {
        format: 'TabSeparated',
        columns: copy.columns,
        settings: { async_insert: 0, ...copy.settings },
        signal: copy.signal,
      })
      .catch((reason: unknown) => {
        refused = { reason };
        // A COPY that is given up would leave its connection unusable.
        if (!broken && !copy.signal.aborted) abandon(copy.db, client);
      });
    await new Promise<void>((resolve) => {
      out.on('data', (chunk: Buffer) => {
        if (refused || body.write(chunk)) return;
        out.pause();
        body.once('drain', () => out.resume());
      });
      out.once('end', () => {
        body.end();
        resolve();
      });
      out.once('error', (reason) => {
        broken = { reason };
        // Not `end`: the insert must fail, not be taken for complete.
        body.destroy(reason);
        resolve();
      });
    });
    disarm(out);
    await inserted;
    // The side that failed first says why.
    const failed = refused && !(broken && sameStory(refused.reason, broken.reason)) ? refused : broken;
    if (failed) throw failed.reason;
    return out.rowCount;
  });
}

/**
 * The driver's `query_timeout` ends with the query's callback, which a COPY out never calls: without this it would hold
 * the stream, and the process, for half an hour and then report an error to who has gone on long ago.
 */
function disarm(out: object): void {
  (out as { callback?: () => void }).callback?.();
}

/** When PostgreSQL breaks first, the insert fails only because its stream did. */
function sameStory(refused: unknown, broken: unknown): boolean {
  const cause = refused instanceof Error ? (refused.cause ?? refused) : refused;
  return cause === broken || (cause instanceof Error && broken instanceof Error && cause.message === broken.message);
}

/** Sends rows of text fields into a COPY … FROM STDIN. */
export async function copyToPostgres(
  db: pg.Pool,
  signal: AbortSignal,
  sql: string,
  blocks: AsyncIterable<readonly (readonly string[])[]>,
): Promise<number> {
  return inTransaction(db, signal, async (client) => {
    const stream = client.query(copyFrom(sql));
    const lines = async function* () {
      for await (const block of blocks) yield block.map((fields) => `${fields.map(copyText).join('\t')}\n`).join('');
    };
    await new Promise<void>((resolve, reject) =>
      pipeline(lines, stream, (error) => (error ? reject(error) : resolve())),
    );
    return stream.rowCount ?? 0;
  });
}

/** Text as COPY reads it. */
function copyText(text: string): string {
  return text.replace(/[\\\t\n\r]/g, (c) => ({ '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' })[c] ?? c);
}
