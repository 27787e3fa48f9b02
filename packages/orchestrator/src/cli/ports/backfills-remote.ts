/** Backfills of a Skein over HTTP. */

import type { z } from 'zod';

import { BackfillItem, BackfillPlan } from '../../api/routes/backfill-schemas.ts';
import { pageOf } from '../../api/schema.ts';
import type { BackfillRequest } from '../../engine/backfill.ts';
import type { RemoteServer } from '../remote/server.ts';
import type { BackfillsPort } from './backfills.ts';

const PAGE = 500;

export function remoteBackfills(server: RemoteServer): BackfillsPort {
  const path = (id: string, rest = '') => `/backfills/${encodeURIComponent(id)}${rest}`;
  return {
    plan: (request) => server.ask('POST', '/backfills/plan', BackfillPlan, { body: toBody(request) }),
    create: (request) => server.ask('POST', '/backfills', BackfillItem, { body: toBody(request) }),
    async list(limit) {
      const all: z.output<typeof BackfillItem>[] = [];
      for (let after: string | undefined; all.length < limit;) {
        const query = { limit: Math.min(PAGE, limit - all.length), after };
        const page = await server.ask('GET', '/backfills', pageOf(BackfillItem), { query });
        all.push(...page.items);
        if (page.next === null) break;
        after = page.next;
      }
      return all;
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
