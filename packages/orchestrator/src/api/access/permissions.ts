/**
 * The one authorization table: which permission each route needs, and which role has each permission. A route that is
 * not in it is refused to everyone, and a test fails.
 */

import { type Principal, type Role, isAtLeast } from './principal.ts';

/** The least role that has each permission. */
export const PERMISSIONS = {
  read: 'viewer',
  read_logs: 'viewer',
  read_config: 'viewer',
  save_view: 'viewer',
  save_preset: 'operator',
  preview_tick: 'operator',
  launch_run: 'operator',
  cancel_run: 'operator',
  backfill: 'operator',
  switch_sensor: 'operator',
  set_cursor: 'operator',
  evaluate_sensor: 'operator',
  set_pool: 'operator',
  mark_partitions: 'operator',
  forget_partitions: 'admin',
  query_sql: 'admin',
  read_audit: 'admin',
  undo_change: 'admin',
  manage_tokens: 'admin',
} as const satisfies Record<string, Role>;

export type Permission = keyof typeof PERMISSIONS;

/** `public`: anyone; `signed_in`: whoever is known. */
export type Need = Permission | 'public' | 'signed_in';

const V1 = '/api/v1';

export const ACCESS: Readonly<Record<string, Need>> = {
  'GET /healthz': 'public',
  'GET /readyz': 'public',
  'GET /metrics': 'public', // by token or from loopback, checked by the route itself
  [`GET ${V1}/openapi.json`]: 'public',
  [`GET ${V1}/docs`]: 'public',
  [`GET ${V1}/docs/page.js`]: 'public',
  [`GET ${V1}/docs/page.css`]: 'public',
  [`POST ${V1}/session`]: 'public',
  [`DELETE ${V1}/session`]: 'public',
  [`GET ${V1}/session/methods`]: 'public',
  [`GET ${V1}/session/oidc`]: 'public',
  [`GET ${V1}/session/oidc/callback`]: 'public',
  [`GET ${V1}/me`]: 'signed_in',
  [`GET ${V1}/events`]: 'read',
  [`GET ${V1}/overview`]: 'read',
  [`GET ${V1}/search`]: 'read',
  [`GET ${V1}/failures`]: 'read',
  [`GET ${V1}/assets`]: 'read',
  [`GET ${V1}/assets/:key`]: 'read',
  [`GET ${V1}/freshness`]: 'read',
  [`GET ${V1}/assets/:key/partition`]: 'read',
  [`GET ${V1}/assets/:key/partitions/counts`]: 'read',
  [`GET ${V1}/assets/:key/partitions/rows`]: 'read',
  [`GET ${V1}/assets/:key/partitions/search`]: 'read',
  [`POST ${V1}/assets/:key/partitions/tiles`]: 'read',
  [`POST ${V1}/assets/:key/partitions/values`]: 'read',
  [`POST ${V1}/assets/:key/partitions/mark`]: 'mark_partitions',
  [`POST ${V1}/assets/:key/partitions/forget`]: 'forget_partitions',
  [`GET ${V1}/jobs`]: 'read',
  [`GET ${V1}/jobs/:name`]: 'read',
  [`GET ${V1}/jobs/:name/presets`]: 'read_config',
  [`GET ${V1}/jobs/:name/presets/:preset`]: 'read_config',
  [`PUT ${V1}/jobs/:name/presets/:preset`]: 'save_preset',
  [`DELETE ${V1}/jobs/:name/presets/:preset`]: 'save_preset',
  [`GET ${V1}/views`]: 'read',
  [`GET ${V1}/views/:name`]: 'read',
  [`PUT ${V1}/views/:name`]: 'save_view',
  [`DELETE ${V1}/views/:name`]: 'save_view',
  [`GET ${V1}/runs`]: 'read',
  [`GET ${V1}/runs/count`]: 'read',
  [`POST ${V1}/runs/cancel`]: 'cancel_run',
  [`POST ${V1}/runs/retry`]: 'launch_run',
  [`GET ${V1}/runs/:id`]: 'read_config',
  [`GET ${V1}/runs/:id/partitions`]: 'read',
  [`GET ${V1}/runs/:id/events`]: 'read',
  [`GET ${V1}/runs/:id/log`]: 'read_logs',
  [`GET ${V1}/runs/:id/log/find`]: 'read_logs',
  [`GET ${V1}/runs/:id/log/window`]: 'read_logs',
  [`GET ${V1}/runs/:id/log/file`]: 'read_logs',
  [`GET ${V1}/runs/:id/log/templates`]: 'read_logs',
  [`GET ${V1}/runs/:id/similar`]: 'read',
  [`GET ${V1}/runs/groups`]: 'read',
  [`GET ${V1}/runs/:id/why`]: 'read',
  [`POST ${V1}/runs/:id/cancel`]: 'cancel_run',
  [`POST ${V1}/runs/:id/retry`]: 'launch_run',
  [`POST ${V1}/launch`]: 'launch_run',
  [`POST ${V1}/launch/check`]: 'launch_run',
  [`GET ${V1}/sensors`]: 'read',
  [`GET ${V1}/sensors/:name`]: 'read',
  [`POST ${V1}/sensors/:name/start`]: 'switch_sensor',
  [`POST ${V1}/sensors/:name/stop`]: 'switch_sensor',
  [`POST ${V1}/sensors/:name/evaluate`]: 'evaluate_sensor',
  [`POST ${V1}/sensors/:name/preview`]: 'preview_tick',
  [`POST ${V1}/sensors/:name/apply`]: 'set_cursor',
  [`GET ${V1}/sensors/:name/ticks`]: 'read',
  [`GET ${V1}/sensors/:name/ticks/:tick`]: 'read',
  [`GET ${V1}/sensors/:name/timeline`]: 'read',
  [`GET ${V1}/sensors/:name/cursor`]: 'read_config',
  [`PUT ${V1}/sensors/:name/cursor`]: 'set_cursor',
  [`GET ${V1}/sensors/:name/cursor/history`]: 'read_config',
  [`POST ${V1}/sensors/:name/cursor/reset`]: 'set_cursor',
  [`POST ${V1}/sensors/:name/cursor/restore`]: 'set_cursor',
  [`GET ${V1}/schedules`]: 'read',
  [`GET ${V1}/schedules/:name`]: 'read',
  [`POST ${V1}/schedules/:name/start`]: 'switch_sensor',
  [`POST ${V1}/schedules/:name/stop`]: 'switch_sensor',
  [`GET ${V1}/schedules/:name/ticks`]: 'read',
  [`GET ${V1}/limits`]: 'read',
  [`GET ${V1}/pools`]: 'read',
  [`GET ${V1}/pools/:name`]: 'read',
  [`PUT ${V1}/pools/:name`]: 'set_pool',
  [`DELETE ${V1}/pools/:name`]: 'set_pool',
  [`GET ${V1}/backfills`]: 'read',
  [`POST ${V1}/backfills`]: 'backfill',
  [`POST ${V1}/backfills/plan`]: 'backfill',
  [`GET ${V1}/backfills/:id`]: 'read',
  [`GET ${V1}/backfills/:id/pace`]: 'read',
  [`POST ${V1}/backfills/:id/pause`]: 'backfill',
  [`POST ${V1}/backfills/:id/resume`]: 'backfill',
  [`POST ${V1}/backfills/:id/cancel`]: 'backfill',
  [`POST ${V1}/backfills/:id/retry`]: 'backfill',
  [`PATCH ${V1}/backfills/:id`]: 'backfill',
  [`GET ${V1}/system`]: 'read',
  [`POST ${V1}/sql`]: 'query_sql',
  [`GET ${V1}/audit`]: 'read_audit',
  [`POST ${V1}/audit/:id/undo`]: 'undo_change',
  [`GET ${V1}/tokens`]: 'manage_tokens',
  [`POST ${V1}/tokens`]: 'manage_tokens',
  [`DELETE ${V1}/tokens/:id`]: 'manage_tokens',
};

export interface Verdict {
  readonly allowed: boolean;
  /** Why not, or what allows it, one sentence for people. */
  readonly reason: string;
}

export function judge(need: Need, principal: Principal | undefined): Verdict {
  if (need === 'public') return { allowed: true, reason: 'Open to everyone.' };
  if (!principal) return { allowed: false, reason: 'Sign in first.' };
  if (need === 'signed_in') return { allowed: true, reason: 'You are signed in.' };
  const least = PERMISSIONS[need];
  return isAtLeast(principal.role, least)
    ? { allowed: true, reason: `Your role is ${principal.role}.` }
    : { allowed: false, reason: `This needs the role ${least}; yours is ${principal.role}.` };
}

/** What a route of a job family needs, which stands in no table: writes are an operator's, what deletes an administrator's. */
export function needOfFamilyRoute(method: string): Need {
  if (method === 'DELETE') return 'forget_partitions';
  return method === 'GET' || method === 'HEAD' ? 'read' : 'launch_run';
}
