/**
 * A request that changes something, as a span, where anything is traced: what it launches is below it, and it is below
 * what the caller traces (`traceparent`). Reads are many and tell nothing.
 */

import { finished } from 'node:stream';

import type { preHandlerHookHandler } from 'fastify';

import { type Tracing, parseTraceParent } from '../telemetry/tracing.ts';

/** Calls `done` inside the span, so that whatever comes after in this request is inside it too. */
export function traceChange(tracing: Tracing): preHandlerHookHandler {
  return (request, reply, done) => {
    const { method, routeOptions, headers } = request;
    const route = routeOptions.url;
    if (method === 'GET' || method === 'HEAD' || route === undefined) return done();
    const given = headers.traceparent;
    const parent = typeof given === 'string' && parseTraceParent(given) ? given : null;
    const about = { 'http.request.method': method, 'http.route': route, 'skein.request': request.id };
    void tracing.inSpan(`${method} ${route}`, parent, about, (span) => {
      const answered = new Promise<void>((resolve) => finished(reply.raw, () => resolve()));
      done();
      return answered.then(() => {
        span.set({ 'http.response.status_code': reply.statusCode });
        if (reply.statusCode >= 500) span.fail(`Answered ${reply.statusCode}.`);
      });
    });
  };
}
