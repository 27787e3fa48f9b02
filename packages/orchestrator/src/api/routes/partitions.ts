/** Partitions of an asset: counts, rows, rectangles of states, search, and the card of one cell. */

import { z } from 'zod';

import type { Asset } from '../../definitions/asset.ts';
import { lookUp } from '../../definitions/deployment.ts';
import { NotFoundError } from '../../definitions/errors.ts';
import { expandRows } from '../../definitions/partitions/partitions.ts';
import type { Engine } from '../../engine/engine.ts';
import { readLastRuns, readStatuses } from '../../engine/partition-reader.ts';
import { readCounts, sumCounts } from '../../engine/reads/partitions.ts';
import { readRun } from '../../engine/reads/runs.ts';
import { type StaleReason as EngineReason, readStaleness } from '../../engine/reads/staleness.ts';
import type { Routes } from '../context.ts';
import { RequestInvalidError } from '../errors.ts';
import { API_PREFIX } from '../openapi.ts';
import { MAX_LAG, pageOfRows } from '../reads/partition-rows.ts';
import { searchPartitions } from '../reads/partition-search.ts';
import { MAX_TILE_CELLS, MAX_TILE_COLUMNS, areStarts, readTile, widthOf } from '../reads/tiles.ts';
import { Time, iso, named, pageOf, pageQuery } from '../schema.ts';
import { Counts } from './asset-schemas.ts';
import { AssetParams } from './assets.ts';
import { Run, RunPartition, RunStatus, toPartition, toRun } from './run-schemas.ts';

export const Outcome = z.enum(['missing', 'materialized', 'failed', 'skipped']);
export const Activity = z.enum(['idle', 'queued', 'running', 'cancelling']);
const STATUSES = z.enum(['missing', 'materialized', 'failed', 'skipped', 'queued', 'running', 'cancelling']);

const Row = z.string().max(512);
const Ids = z
  .union([z.string().max(512), z.array(z.string().max(512)).max(500)])
  .describe('Ids, or ranges of them such as `1..50`; may be repeated.');
/** Rows of one question. */
const MAX_ROWS_ASKED = 10_000;

const LastRun = z.object({
  run_id: z.string(),
  status: RunStatus,
  ended_at: Time.nullable(),
  failures: z.number().describe('Unsuccessful runs since the last success.'),
});

export const PartitionItem = named(
  'Partition',
  z.object({
    key: z.string(),
    row: z.string(),
    column: z.number(),
    outcome: Outcome,
    activity: Activity,
    last_run: LastRun.nullable(),
  }),
);

const StaleReason = named(
  'StaleReason',
  z.object({
    kind: z.enum(['upstream', 'code']),
    asset: z.string().nullable().describe('Upstream: the asset that is newer.'),
    key: z.string().nullable().describe('Upstream: its newest partition that this one was made from.'),
    at: Time.nullable().describe('Upstream: when that was materialized.'),
    made_by: z.string().nullable().describe('Code: the version that made this partition.'),
    code_version: z.string().nullable().describe('Code: the version now.'),
  }),
);

function toStaleReason(reason: EngineReason): z.input<typeof StaleReason> {
  const none = { asset: null, key: null, at: null, made_by: null, code_version: null };
  return reason.kind === 'code'
    ? { ...none, kind: 'code', made_by: reason.made, code_version: reason.now }
    : { ...none, kind: 'upstream', asset: reason.asset, key: reason.key, at: reason.at.toISOString() };
}

const PartitionCard = named(
  'PartitionCard',
  PartitionItem.extend({
    label: z.string().describe('Of the column, such as the day.'),
    run: Run.nullable().describe('The last run, or the one that is at it.'),
    result: RunPartition.nullable().describe('What that run recorded of this partition.'),
    stale: z.boolean().nullable().describe('Something it was made from is newer; null where nothing is materialized.'),
    stale_reasons: z.array(StaleReason),
  }),
);

const RowItem = named(
  'PartitionRow',
  z.object({
    id: z.string(),
    counts: Counts,
    lag: z
      .number()
      .nullable()
      .describe(
        `Complete columns, such as days, after the last one that is made or skipped, at most ${MAX_LAG}; null where the asset has no time.`,
      ),
  }),
);

const Tile = z.object({ rows: z.number(), width: z.number(), cells: z.string().describe('Base64, one byte a cell.') });

const TileRequest = z.strictObject({
  rows: z.array(z.string().max(512)).min(1).max(5_000),
  from: z.number().int().min(0).describe('First column.'),
  to: z.number().int().min(0).max(10_000_000).describe('Last column, included.'),
  step: z.number().int().min(1).max(366).default(1).describe('Columns a cell; it shows the worst of them.'),
  starts: z
    .array(z.number().int().min(0))
    .min(1)
    .max(5_000)
    .optional()
    .describe('First column of each cell, ascending from `from`, such as those of months; instead of a step.'),
  format: z.enum(['binary', 'base64']).default('binary'),
});

export const partitionRoutes: Routes = (app, { engine }) => {
  const assetOf = (key: string) => lookUp('asset', engine.deployment.assets, key);

  app.get(
    `${API_PREFIX}/assets/:key/partitions/counts`,
    {
      schema: {
        operationId: 'getPartitionCounts',
        summary: 'How many partitions are in which state, of the asset or of some rows',
        tags: ['partitions'],
        params: AssetParams,
        querystring: z.strictObject({ row: Row.optional(), id: Ids.optional() }),
        response: { 200: Counts },
      },
    },
    async ({ params, query }) => {
      const asset = assetOf(params.key);
      const rows = rowsOf(asset, query);
      return { ...(rows === undefined ? await readCounts(engine, asset) : await sumCounts(engine, asset, rows)) };
    },
  );

  app.get(
    `${API_PREFIX}/assets/:key/partitions/rows`,
    {
      schema: {
        operationId: 'listPartitionRows',
        summary: 'Rows (ids of the first dimension) with their totals',
        tags: ['partitions'],
        params: AssetParams,
        querystring: z.strictObject({
          sort: z
            .enum(['name', 'failed', 'active', 'lag'])
            .default('name')
            .describe('`lag`: those first whose newest data are the oldest.'),
          q: z.string().max(512).optional().describe('Prefix of the id.'),
          ...pageQuery,
        }),
        response: { 200: pageOf(RowItem) },
      },
    },
    async ({ params, query }) => {
      const page = await pageOfRows(engine, assetOf(params.key), query);
      return { items: page.items.map((row) => ({ ...row, counts: { ...row.counts } })), next: page.next };
    },
  );

  app.post(
    `${API_PREFIX}/assets/:key/partitions/tiles`,
    {
      config: { changesNothing: true },
      schema: {
        operationId: 'readPartitionTile',
        summary: 'States of a rectangle of rows × columns, one byte a cell',
        description:
          'Row by row; a byte is outcome × 4 + activity, with outcome 0 missing, 1 materialized, 2 failed, 3 skipped and activity 0 idle, 1 queued, 2 running, 3 cancelling.',
        tags: ['partitions'],
        params: AssetParams,
        body: TileRequest,
        response: {
          200: {
            description: 'The cells.',
            content: {
              'application/octet-stream': { schema: z.unknown() },
              'application/json': { schema: Tile },
            },
          },
        },
      },
    },
    async ({ params, body }, reply) => {
      const width = widthOf(body);
      if (body.to < body.from) throw new RequestInvalidError('body.to: lies before from.');
      if (body.starts && !areStarts(body.starts, body))
        throw new RequestInvalidError('body.starts: must ascend from `from`, and not beyond `to`.');
      if (width * body.rows.length > MAX_TILE_CELLS || (body.to - body.from + 1) * body.rows.length > MAX_TILE_COLUMNS)
        throw new RequestInvalidError(
          `body: a tile takes at most ${MAX_TILE_CELLS} cells; ask for fewer rows or columns.`,
        );
      const cells = await readTile(engine, assetOf(params.key), body);
      if (body.format === 'base64')
        return reply.type('application/json').send({ rows: body.rows.length, width, cells: cells.toString('base64') });
      return reply.type('application/octet-stream').header('x-skein-width', width).send(cells);
    },
  );

  app.get(
    `${API_PREFIX}/assets/:key/partitions/search`,
    {
      schema: {
        operationId: 'searchPartitions',
        summary: 'Partitions by status, id and days',
        description: 'A page may be short, even empty, while `next` says where to go on.',
        tags: ['partitions'],
        params: AssetParams,
        querystring: z.strictObject({
          row: Row.optional(),
          id: Ids.optional(),
          from: z.string().max(40).optional().describe('First column by its label, such as a day.'),
          to: z.string().max(40).optional().describe('Last column, included; default: the last complete one.'),
          status: z
            .union([STATUSES, z.array(STATUSES)])
            .optional()
            .describe('May be repeated.'),
          ...pageQuery,
        }),
        response: { 200: pageOf(PartitionItem) },
      },
    },
    ({ params, query }) => {
      const { row, id, status, ...rest } = query;
      const statuses = status === undefined ? [] : [status].flat();
      const asset = assetOf(params.key);
      return pageOfPartitions(engine, asset, { ...rest, statuses, rows: rowsOf(asset, { row, id }) });
    },
  );

  app.get(
    `${API_PREFIX}/assets/:key/partition`,
    {
      schema: {
        operationId: 'getPartition',
        summary: 'One partition: its state, its last run and what that run recorded',
        tags: ['partitions'],
        params: AssetParams,
        querystring: z.strictObject({ partition: z.string().min(1).max(600) }),
        response: { 200: PartitionCard },
      },
    },
    async ({ params, query }) => readCard(engine, assetOf(params.key), query.partition),
  );
};

/** Of a query: a row by its own name, or what ids and ranges mean; undefined: all. */
function rowsOf(
  asset: Asset,
  { row, id }: { readonly row?: string | undefined; readonly id?: string | string[] | undefined },
): string[] | undefined {
  if (row === undefined && id === undefined) return undefined;
  return [...(row === undefined ? [] : [row]), ...expandRows(asset.partitions, [id ?? []].flat(), MAX_ROWS_ASKED)];
}

interface PartitionFilter {
  readonly rows: readonly string[] | undefined;
  /** Labels of columns, both included. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly statuses: readonly z.output<typeof STATUSES>[];
  readonly after?: string | undefined;
  readonly limit: number;
}

export async function pageOfPartitions(
  engine: Engine,
  asset: Asset,
  { rows, from, to, statuses, after, limit }: PartitionFilter,
): Promise<{ items: z.input<typeof PartitionItem>[]; next: string | null }> {
  const { columns } = asset.partitions;
  if (columns.kind === 'single' && (from ?? to) !== undefined)
    throw new RequestInvalidError(`${asset.key} has no days: its partitions are ${asset.partitions.grammar}.`);
  // Today's window, which is not complete, may have run, but is not missing yet; nothing lies after it.
  const latest = Math.max(0, columns.lastComplete(new Date()) + (statuses.includes('missing') ? 0 : 1));
  const found = await searchPartitions(engine, asset, {
    rows,
    from: from === undefined ? 0 : Math.max(0, columns.column(from)),
    to: to === undefined ? latest : Math.min(columns.column(to), columns.lastComplete(new Date()) + 1),
    statuses,
    after,
    limit,
  });
  const last = await readLastRuns(
    engine,
    asset,
    found.items.map(({ key }) => key),
  );
  return {
    items: found.items.map((one) => ({ ...one, last_run: toLastRun(last.get(one.key)) })),
    next: found.next,
  };
}

async function readCard(engine: Engine, asset: Asset, key: string): Promise<z.input<typeof PartitionCard>> {
  const cell = asset.partitions.cell(asset.partitions.parse(key));
  const [statuses, lastRuns, [staleness]] = await Promise.all([
    readStatuses(engine, asset, [key]),
    readLastRuns(engine, asset, [key]),
    readStaleness(engine, asset, [key]),
  ]);
  const state = statuses.get(key) ?? { outcome: 'missing' as const, activity: 'idle' as const };
  const last = lastRuns.get(key);
  // The run may be gone by its retention; its partition keeps its last outcome.
  const run = last === undefined ? undefined : await readRun(engine, last.runId).catch(orGone);
  const result = run?.partitions.find((one) => one.asset === asset.key && one.key === key);
  return {
    key,
    row: cell.row,
    column: cell.column,
    label: asset.partitions.columns.label(cell.column),
    outcome: state.outcome,
    activity: state.activity,
    last_run: toLastRun(last),
    run: run === undefined ? null : toRun(run),
    result: result === undefined ? null : toPartition(result),
    stale: staleness?.stale ?? null,
    stale_reasons: (staleness?.reasons ?? []).map(toStaleReason),
  };
}

function orGone(error: unknown): undefined {
  if (!(error instanceof NotFoundError)) throw error;
}

function toLastRun(
  last: { runId: string; status: z.output<typeof RunStatus>; endedAt: Date | undefined; failures: number } | undefined,
): z.input<typeof LastRun> | null {
  if (last === undefined) return null;
  return { run_id: last.runId, status: last.status, ended_at: iso(last.endedAt), failures: last.failures };
}
