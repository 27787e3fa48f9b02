/** Owns the answers that carry results: streamed rows, small results, and the summary header. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';

import type { Session } from 'chdb';

import { trailer } from './failure.ts';

export interface Summary {
  readonly read_rows?: number;
  readonly read_bytes?: number;
  readonly written_rows?: number;
  readonly written_bytes?: number;
  readonly elapsed_ns?: number;
}

/** Numbers travel as text, as a server sends them; what is not known is left out. */
export function writeSummary(response: ServerResponse, summary: Summary): void {
  const entries = Object.entries(summary).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  response.setHeader(
    'X-ClickHouse-Summary',
    JSON.stringify(Object.fromEntries(entries.map(([k, v]) => [k, String(Math.round(v))]))),
  );
}

/** Streams a result with back pressure; rejects when the query fails before its first rows. */
export async function streamRows(
  exchange: { readonly request: IncomingMessage; readonly response: ServerResponse; readonly tag: string },
  source: { readonly session: Session; readonly sql: string; readonly format: string; readonly compress: boolean },
): Promise<void> {
  const { response, tag } = exchange;
  const chunks = source.session.queryStream(source.sql, { format: source.format })[Symbol.asyncIterator]();
  // Awaiting the first rows here makes an early failure a plain HTTP error.
  let current = await chunks.next();

  const gzip = source.compress && /\bgzip\b/.test(String(exchange.request.headers['accept-encoding'] ?? ''));
  if (gzip) response.setHeader('Content-Encoding', 'gzip');
  async function* bytes(): AsyncGenerator<Buffer> {
    try {
      for (; !current.done; current = await chunks.next()) {
        const raw = current.value.raw();
        yield Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
      }
    } catch (error) {
      yield trailer(error, tag);
    } finally {
      await chunks.return?.();
    }
  }
  const rows = Readable.from(bytes(), { objectMode: false, highWaterMark: 1 << 20 });
  if (gzip) await pipeline(rows, zlib.createGzip({ level: 1 }), response);
  else await pipeline(rows, response);
}
