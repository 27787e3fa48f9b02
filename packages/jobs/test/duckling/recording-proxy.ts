/** Forwards requests to an AWS endpoint word for word, signatures and all, and remembers who asked what and who may no more. */

import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly userAgent: string;
  /** Of the signature. */
  readonly keyId: string;
  readonly body: string;
}

export interface RecordingProxy {
  readonly url: string;
  readonly seen: SeenRequest[];
  /** Key ids of the temporary credentials that AssumeRole gave, in their order. */
  readonly assumedKeys: string[];
  /** Key ids that are answered as AWS answers ended credentials. */
  readonly ended: Set<string>;
  close(): Promise<void>;
}

export async function startRecordingProxy(target: string): Promise<RecordingProxy> {
  const { hostname, port } = new URL(target);
  const seen: SeenRequest[] = [];
  const assumedKeys: string[] = [];
  const ended = new Set<string>();
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      seen.push({
        method: incoming.method ?? '',
        path: incoming.url ?? '',
        userAgent: incoming.headers['user-agent'] ?? '',
        keyId: /Credential=([^/]+)\//.exec(incoming.headers.authorization ?? '')?.[1] ?? '',
        body: incoming.url === '/' ? body.toString('utf8') : '',
      });
      if (ended.has(seen.at(-1)?.keyId ?? '')) {
        outgoing.writeHead(400, { 'content-type': 'application/xml' });
        outgoing.end('<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>');
        return;
      }
      const options = { hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers };
      const onward = send(options, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
        if (incoming.url === '/')
          answer.on('data', (chunk: Buffer) => {
            const keyId = /<AccessKeyId>([^<]+)</.exec(chunk.toString())?.[1];
            if (keyId !== undefined) assumedKeys.push(keyId);
          });
      });
      onward.on('error', () => outgoing.destroy());
      onward.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    assumedKeys,
    ended,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
