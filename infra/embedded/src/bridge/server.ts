/**
 * Owns ClickHouse's HTTP interface over the embedded engine: what `@clickhouse/client` uses of a server works here
 * unchanged. A client that goes away takes its query with it.
 */

import { randomUUID } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';

import type { Session } from 'chdb';

import { streamRows, writeSummary } from './answer.ts';
import { runInsert } from './counted-insert.ts';
import type { Engine } from './engine.ts';
import type { Exchange } from './exchange.ts';
import { codeOf, statusOf, textOf } from './failure.ts';
import { insertRows } from './insert.ts';
import { isKillQuery, killQuery } from './kill.ts';
import { authenticate, bodyOf, type Credentials, settingsOf, textOfBody } from './request.ts';
import { identifier, isInsert, isRead, isUrgent, killByTag, parseInsertWithRows, tagged } from './statement.ts';

export interface BridgeSpec {
  readonly engine: Engine;
  readonly credentials: Credentials;
  /** For rows whose format the engine only reads from files. */
  readonly temporaryDirectory: string;
}

/** Exports and mutations take hours; the client's own time-outs decide, not the socket. */
const NO_TIMEOUT = 0;
const KEEP_ALIVE_MS = 30_000;

export function createBridge(spec: BridgeSpec): http.Server {
  const server = http.createServer((request, response) => {
    void handle(spec, request, response);
  });
  server.requestTimeout = NO_TIMEOUT;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return server;
}

async function handle(bridge: BridgeSpec, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://bridge');
  const query = url.searchParams;
  const queryId = query.get('query_id') || randomUUID();
  const tag = randomUUID().replaceAll('-', '').slice(0, 16);
  try {
    if (url.pathname === '/ping' || (request.method === 'GET' && !query.has('query'))) {
      response.end('Ok.\n');
      return;
    }
    response.setHeader('X-ClickHouse-Query-Id', queryId);
    response.setHeader('X-ClickHouse-Timezone', 'UTC');
    response.setHeader('X-ClickHouse-Exception-Tag', tag);
    response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
    authenticate(request, query, bridge.credentials);
    await answer(bridge, { request, response, query, queryId, tag });
  } catch (error) {
    fail(request, response, error);
  }
}

function fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const code = codeOf(error);
  response.statusCode = statusOf(code);
  response.setHeader('X-ClickHouse-Exception-Code', String(code));
  // Whatever of the body has not been read must be, or the connection cannot be used again.
  request.resume();
  response.end(`${textOf(error)}\n`);
}

async function answer(bridge: BridgeSpec, exchange: Exchange): Promise<void> {
  const { request, response, query, queryId } = exchange;
  const body = bodyOf(request);
  const head = query.get('query') ?? '';
  const insert = request.method === 'POST' ? parseInsertWithRows(head) : undefined;
  const sql = insert
    ? head
    : [head, await textOfBody(body)]
        .filter((part) => part !== '')
        .join('\n')
        .replace(/;\s*$/, '');

  const lease = await bridge.engine.lease({
    sessionId: query.get('session_id') ?? undefined,
    timeoutSeconds: Number(query.get('session_timeout') ?? 60),
    urgent: !insert && isUrgent(sql),
  });
  if (response.destroyed) {
    // The client left while it waited for its turn.
    lease.release();
    return;
  }
  let done = false;
  response.on('close', () => {
    if (!done && !response.writableFinished) bridge.engine.base.queryAsync(killByTag(queryId)).catch(() => {});
  });
  try {
    await prepare(lease.session, exchange);
    if (insert) await insertRows(bridge, lease.session, insert, { ...exchange, body });
    else await execute(lease.session, sql, exchange);
  } finally {
    done = true;
    lease.release();
  }
}

async function prepare(session: Session, { request, query }: Exchange): Promise<void> {
  const database = query.get('database') ?? request.headers['x-clickhouse-database'];
  if (typeof database === 'string' && database !== '' && database !== 'default')
    await session.queryAsync(`USE ${identifier(database)}`);
  const settings = settingsOf(query);
  if (settings !== undefined) await session.queryAsync(`SET ${settings}`);
}

async function execute(session: Session, sql: string, exchange: Exchange): Promise<void> {
  const { response, query, queryId } = exchange;
  const format = query.get('default_format') ?? 'TabSeparated';
  if (isRead(sql)) {
    await streamRows(exchange, {
      session,
      sql: tagged(sql, queryId),
      format,
      compress: query.get('enable_http_compression') === '1',
    });
    return;
  }
  if (isInsert(sql)) {
    writeSummary(response, await runInsert(session, tagged(sql, queryId)));
    response.end();
    return;
  }
  const result = isKillQuery(sql)
    ? await killQuery(session, sql, format)
    : await session.queryAsync(tagged(sql, queryId), { format });
  writeSummary(response, {
    read_rows: result.rowsRead,
    read_bytes: result.bytesRead,
    written_rows: 0,
    written_bytes: 0,
    elapsed_ns: result.elapsed * 1e9,
  });
  response.end(Buffer.from(result.bytes()));
}
