/**
 * Owns INSERTs whose rows follow in the body. Line formats go to the engine piece by piece (8 MiB, cut at line ends);
 * every other format goes through a temporary file, which the engine reads itself, so that binary formats stay intact.
 */

import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import type { Session } from 'chdb';

import { writeSummary } from './answer.ts';
import { runInsert } from './counted-insert.ts';
import type { Exchange } from './exchange.ts';
import { identifier, type InsertWithRows, literal, tagged } from './statement.ts';

export async function insertRows(
  bridge: { readonly temporaryDirectory: string },
  session: Session,
  insert: InsertWithRows,
  exchange: Exchange & { readonly body: Readable },
): Promise<void> {
  if (insert.settings !== undefined) await session.queryAsync(`SET ${insert.settings}`);
  if (insert.lineFormat === undefined) await insertThroughFile(bridge.temporaryDirectory, session, insert, exchange);
  else {
    const done = await session.insert({
      table: insert.table,
      ...(insert.columns === undefined ? {} : { columns: insert.columns }),
      values: exchange.body,
      format: insert.lineFormat,
    });
    writeSummary(exchange.response, {
      read_rows: done.rowsSent,
      read_bytes: done.bytesSent,
      written_rows: done.rowsWritten,
      written_bytes: done.bytesWritten,
      elapsed_ns: done.elapsed * 1e9,
    });
  }
  exchange.response.end();
}

async function insertThroughFile(
  folder: string,
  session: Session,
  insert: InsertWithRows,
  exchange: Exchange & { readonly body: Readable },
): Promise<void> {
  const file = path.join(folder, `rows-${randomUUID()}`);
  try {
    await pipeline(exchange.body, createWriteStream(file, { mode: 0o600 }));
    const table = insert.table.split('.').map(identifier).join('.');
    const columns = insert.columns === undefined ? '' : ` (${insert.columns.map(identifier).join(', ')})`;
    const sql = `INSERT INTO ${table}${columns} FROM INFILE ${literal(file)} FORMAT ${insert.format}`;
    writeSummary(exchange.response, await runInsert(session, tagged(sql, exchange.queryId)));
  } finally {
    await rm(file, { force: true });
  }
}
