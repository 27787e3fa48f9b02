/**
 * Owns running INSERT statements so that the written rows are known. The engine's library reports them with every
 * result, but the package passes them on for inserts of raw rows only; an INSERT … SELECT takes that same way, as rows
 * behind an empty head. Should a later version lack it, the statement runs all the same and the number is left out.
 */

import { createRequire } from 'node:module';

import type { Session } from 'chdb';

import type { Summary } from './answer.ts';

interface NativeEngine {
  InsertRawAsyncConnection?(
    connection: unknown,
    head: string,
    rows: Buffer,
    countLines: boolean,
  ): Promise<{ readonly elapsed: number; readonly rowsWritten: number; readonly bytesWritten: number }>;
}

/** @returns what was written, materialized views included, as a server's summary has it */
export async function runInsert(session: Session, sql: string): Promise<Summary> {
  const native = loadNative();
  if (native.InsertRawAsyncConnection === undefined) {
    const result = await session.queryAsync(sql);
    return { read_rows: result.rowsRead, read_bytes: result.bytesRead, elapsed_ns: result.elapsed * 1e9 };
  }
  const result = await native.InsertRawAsyncConnection(session.connection, '', Buffer.from(sql), false);
  return { written_rows: result.rowsWritten, written_bytes: result.bytesWritten, elapsed_ns: result.elapsed * 1e9 };
}

/** The same instance that `chdb` itself uses: a process holds one engine. */
function loadNative(): NativeEngine {
  const require = createRequire(import.meta.url);
  const fromPackage = createRequire(require.resolve('chdb'));
  try {
    return (fromPackage('./dist/loader.js') as { loadNative(): NativeEngine }).loadNative();
  } catch {
    return {};
  }
}
