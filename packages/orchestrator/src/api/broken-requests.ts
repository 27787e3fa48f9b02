/** What is no HTTP, too long a head, or too slow: answered as every other mistake is, before there is a request to answer. */

import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

const KNOWN: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The address and headers of the request are too long.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request was not sent whole in time.'],
};

export function answerBrokenRequest(error: { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, detail] = KNOWN[error.code ?? ''] ?? [400, 'This is no request that HTTP knows.'];
  const code = 'REQUEST_INVALID';
  const type = `about:blank#${code.toLowerCase().replaceAll('_', '-')}`;
  const body = JSON.stringify({ type, code, title: 'The request is malformed.', status, detail, request_id: '' });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'content-type: application/problem+json; charset=utf-8',
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
