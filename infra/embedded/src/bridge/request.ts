/** Owns reading one HTTP request: credentials, settings, parameters, and the SQL with the data that may follow it. */

import { timingSafeEqual, createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import zlib from 'node:zlib';

import { EngineError } from './failure.ts';
import { literal } from './statement.ts';

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** @throws EngineError 516, as a server does */
export function authenticate(request: IncomingMessage, query: URLSearchParams, expected: Credentials): void {
  const given = readCredentials(request, query);
  if (same(given.user, expected.user) && same(given.password, expected.password)) return;
  throw new EngineError(
    516,
    'AUTHENTICATION_FAILED',
    `${given.user.slice(0, 50)}: Authentication failed: password is incorrect, or there is no user with such name`,
  );
}

function readCredentials(request: IncomingMessage, query: URLSearchParams): Credentials {
  const basic = /^Basic\s+(.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (basic !== undefined) {
    const text = Buffer.from(basic, 'base64').toString();
    const colon = text.indexOf(':');
    return colon < 0 ? { user: text, password: '' } : { user: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  const user = request.headers['x-clickhouse-user'] ?? query.get('user') ?? 'default';
  const password = request.headers['x-clickhouse-key'] ?? query.get('password') ?? '';
  return { user: String(user), password: String(password) };
}

function same(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** Parameters of the protocol; every other one is a setting of the query. */
const NOT_SETTINGS = new Set(
  (
    'query query_id database default_format session_id session_timeout session_check user password role quota_key ' +
    'compress decompress enable_http_compression wait_end_of_query buffer_size send_progress_in_http_headers ' +
    'http_headers_progress_interval_ms http_response_buffer_size http_write_exception_in_output_format ' +
    'add_http_cors_header cancel_http_readonly_queries_on_client_close'
  ).split(' '),
);

/** The body of a `SET` statement, or undefined when nothing is to be set. */
export function settingsOf(query: URLSearchParams): string | undefined {
  const parts: string[] = [];
  for (const [name, value] of query) {
    if (NOT_SETTINGS.has(name)) continue;
    if (!/^\w+$/.test(name)) throw new EngineError(115, 'UNKNOWN_SETTING', `Unknown setting '${name.slice(0, 80)}'`);
    parts.push(`${name}=${literal(value)}`);
  }
  return parts.length > 0 ? parts.join(', ') : undefined;
}

/** The body, decompressed. */
export function bodyOf(request: IncomingMessage): Readable {
  switch (request.headers['content-encoding']) {
    case 'gzip':
      return pipeInto(request, zlib.createGunzip());
    case 'deflate':
      return pipeInto(request, zlib.createInflate());
    case 'br':
      return pipeInto(request, zlib.createBrotliDecompress());
    default:
      return request;
  }
}

function pipeInto<T extends NodeJS.ReadWriteStream & Readable>(request: IncomingMessage, decoder: T): T {
  // Not pipeline(): it would destroy the socket, and the answer could not be sent any more.
  request.on('error', (error) => decoder.destroy(error));
  request.on('aborted', () => decoder.destroy(new Error('the client went away')));
  request.pipe(decoder);
  return decoder;
}

export async function textOfBody(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk as Buffer));
  return Buffer.concat(chunks).toString('utf8');
}
