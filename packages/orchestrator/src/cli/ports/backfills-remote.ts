/** Backfills of a Skein over HTTP. */

import { BackfillItem, BackfillPlan } from '../../api/routes/backfill-schemas.ts';
import { pageOf } from '../../api/schema.ts';
import type { BackfillRequest } from '../../engine/backfill.ts';
import type { RemoteServer } from '../remote/server.ts';
import { UsageError } from '../usage-error.ts';
import type { BackfillsPort } from './backfills.ts';

/** The API's list has no pages. */
const AT_MOST = 500;

export function remoteBackfills(server: RemoteServer): BackfillsPort {
  const path = (id: string, rest = '') => `/backfills/${encodeURIComponent(id)}${rest}`;
  return {
    plan: (request) => server.ask('POST', '/backfills/plan', BackfillPlan, { body: toBody(request) }),
    create: (request) => server.ask('POST', '/backfills', BackfillItem, { body: toBody(request) }),
    async list(limit) {
      if (limit > AT_MOST) throw new UsageError(`--limit: a server lists at most ${AT_MOST} backfills.`);
      return (await server.ask('GET', '/backfills', pageOf(BackfillItem), { query: { limit } })).items;
    },
    read: (id) => server.ask('GET', path(id), BackfillItem),
    pause: (id, reason) => server.ask('POST', path(id, '/pause'), BackfillItem, { body: { reason } }),
    resume: (id) => server.ask('POST', path(id, '/resume'), BackfillItem, { body: {} }),
    cancel: (id, { running }) => server.ask('POST', path(id, '/cancel'), BackfillItem, { body: { running } }),
    retry: (id, statuses) => server.ask('POST', path(id, '/retry'), BackfillItem, { body: { statuses } }),
  };
}

function toBody({ maxActive, stopAfterFailures, ...request }: BackfillRequest) {
  return { ...request, max_active: maxActive, stop_after_failures: stopAfterFailures };
}
