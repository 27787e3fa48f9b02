/** The actions of `skein ducklings` on lakes and objects: check, orphans, reset. */

import { userInfo } from 'node:os';

import type { CommandContext } from '@skein/orchestrator';

import { type ClickHouse, clickhouse } from '../resources/clickhouse.ts';
import { type Ducklings, ducklings } from '../resources/ducklake-ducklings.ts';
import { confirm } from './confirm.ts';
import { parseGraceMs } from './grace.ts';
import { type Orphan, bytesOf, deleteOrphans, findOrphans } from './orphans.ts';
import { type PermissionStep, checkPermissions } from './permission-check.ts';
import { resetDuckling, whatResetDoes } from './reset.ts';

/** These commands end by themselves; an interrupt ends the process. */
const NEVER = new AbortController().signal;

export async function checkDucklings(context: CommandContext, flags: { readonly teamId?: number }): Promise<void> {
  const opened = await context.open(ducklings);
  const rows = flags.teamId === undefined ? await opened.catalog.list() : [await opened.catalog.get(flags.teamId)];
  const server = await clickHouseIfSet(context);
  const checks: { readonly team_id: number; readonly steps: readonly PermissionStep[] }[] = [];
  for (const row of rows) {
    context.note(`Team ${row.team_id} …`);
    checks.push({
      team_id: row.team_id,
      steps: await checkPermissions(row, { ducklings: opened, clickhouse: server }, NEVER),
    });
  }
  const ok = checks.every(({ steps }) => steps.every((step) => step.outcome !== 'failed'));
  context.print(
    { ok, ducklings: checks.map(({ team_id, steps }) => ({ team_id, steps: steps.map((step) => ({ ...step })) })) },
    () =>
      checks.flatMap(({ team_id, steps }) =>
        steps.map((s) => `team ${team_id}  ${s.outcome.padEnd(7)}  ${s.step.padEnd(15)}  ${s.detail}`),
      ),
  );
  if (!ok) context.exitWith(1);
}

async function clickHouseIfSet(context: CommandContext): Promise<ClickHouse | undefined> {
  return context.env.SKEIN_CLICKHOUSE_URL ? context.open(clickhouse) : undefined;
}

interface OrphanFlags {
  readonly teamId: number;
  readonly olderThan: string;
  readonly delete?: boolean;
  readonly yes?: boolean;
}

export async function showOrphans(context: CommandContext, flags: OrphanFlags): Promise<void> {
  const graceMs = parseGraceMs('--older-than', flags.olderThan);
  const opened: Ducklings = await context.open(ducklings);
  const duckling = await opened.catalog.get(flags.teamId);
  const orphans = await findOrphans(opened, duckling, graceMs, new Date(), NEVER);
  let deleted: Orphan[] = [];
  if (flags.delete === true && orphans.length > 0) {
    await confirm(context, flags.yes === true, [
      `Delete ${orphans.length} objects (${bytesOf(orphans)} bytes) of team ${flags.teamId} that no catalog refers to:`,
      ...orphans.slice(0, 10).map((o) => `  ${o.url}`),
      ...(orphans.length > 10 ? ['  …'] : []),
    ]);
    deleted = await deleteOrphans(opened, duckling, orphans, NEVER);
  }
  const gone = new Set(deleted.map((o) => o.key));
  const listed = orphans.map((o) => ({
    key: o.key,
    url: o.url,
    bytes: o.bytes,
    modified_at: o.modifiedAt.toISOString(),
    deleted: gone.has(o.key),
  }));
  context.print(
    {
      team_id: flags.teamId,
      older_than: flags.olderThan,
      orphans: listed,
      count: orphans.length,
      bytes: bytesOf(orphans),
      deleted: deleted.length,
    },
    () => [
      ...listed.map(
        (o) => `${o.deleted ? 'deleted  ' : ''}${o.modified_at}  ${String(o.bytes).padStart(12)}  ${o.url}`,
      ),
      `${orphans.length} orphaned objects, ${bytesOf(orphans)} bytes, older than ${flags.olderThan}${flags.delete ? `; ${deleted.length} deleted` : ''}.`,
    ],
  );
}

export async function resetOne(
  context: CommandContext,
  flags: { readonly teamId: number; readonly yes?: boolean },
): Promise<void> {
  const opened = await context.open(ducklings);
  const duckling = await opened.catalog.get(flags.teamId);
  await confirm(context, flags.yes === true, whatResetDoes(duckling));
  const result = await resetDuckling(opened, await context.client(), {
    duckling,
    by: `cli:${userInfo().username}`,
    now: new Date(),
    signal: NEVER,
  });
  context.print(
    {
      team_id: flags.teamId,
      tables_dropped: [...result.tablesDropped],
      partitions_forgotten: result.partitionsForgotten,
      sensors_reset: [...result.sensorsReset],
    },
    () => [
      `Dropped: ${result.tablesDropped.join(', ') || 'no table was there'}.`,
      ...Object.entries(result.partitionsForgotten).map(([asset, count]) => `Forgot ${count} partitions of ${asset}.`),
      `Reset: ${result.sensorsReset.join(', ')}.`,
    ],
  );
}
