/** What a worker's child processes count, summed up, for Prometheus: a port of its own that says nothing else. */

import { type Server, createServer } from 'node:http';

import { AggregatorRegistry, type MetricObject } from 'prom-client';

import { ServiceError } from '../definitions/errors.ts';

/** @throws ServiceError when the port cannot be had */
export async function serveWorkerMetrics(
  at: { readonly host: string; readonly port: number },
  collect: () => Promise<MetricObject[][]>,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('Only GET /metrics is answered here.\n');
      return;
    }
    collect()
      .then((all) => AggregatorRegistry.aggregate(all).metrics())
      .then(
        (text) => response.writeHead(200, { 'content-type': AggregatorRegistry.PROMETHEUS_CONTENT_TYPE }).end(text),
        () => response.writeHead(503, { 'content-type': 'text/plain' }).end('The worker processes did not answer.\n'),
      );
  });
  await listen(server, at);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : at.port;
  return {
    url: `http://${at.host}:${port}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new ServiceError('metrics', `The port ${port} of ${host} for metrics cannot be had: ${error.code}.`)),
    );
    server.listen(port, host, resolve);
  });
}
