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

export type Refusal = 'ExpiredToken' | 'AccessDenied';

export interface RecordingProxy {
  readonly url: string;
  readonly seen: SeenRequest[];
  /** Key ids of the temporary credentials that AssumeRole gave, in their order. */
  readonly assumedKeys: string[];
  /** Key ids that are refused, and how AWS refuses them: ended or revoked credentials. */
  readonly ended: Map<string, Refusal>;
  /** Called with a request before it is answered. */
  before: ((request: SeenRequest) => void) | undefined;
  close(): Promise<void>;
}

export async function startRecordingProxy(target: string): Promise<RecordingProxy> {
  const { hostname, port } = new URL(target);
  const seen: SeenRequest[] = [];
  const assumedKeys: string[] = [];
  const ended = new Map<string, Refusal>();
  const proxy: Pick<RecordingProxy, 'before'> = { before: undefined };
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      const request: SeenRequest = {
        method: incoming.method ?? '',
        path: incoming.url ?? '',
        userAgent: incoming.headers['user-agent'] ?? '',
        keyId: /Credential=([^/]+)\//.exec(incoming.headers.authorization ?? '')?.[1] ?? '',
        body: incoming.url === '/' ? body.toString('utf8') : '',
      };
      seen.push(request);
      proxy.before?.(request);
      const refusal = ended.get(request.keyId);
      if (refusal !== undefined) {
        outgoing.writeHead(refusal === 'AccessDenied' ? 403 : 400, { 'content-type': 'application/xml' });
        outgoing.end(
          `<Error><Code>${refusal}</Code><Message>The credentials are not valid any more.</Message></Error>`,
        );
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
  return Object.assign(proxy, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    assumedKeys,
    ended,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
}
