/** A person's say about partitions: mark, forget. What is queued or running is left alone. */

import type { FastifyRequest } from 'fastify';
import { z } from 'zod';

import { lookUp } from '../../definitions/deployment.ts';
import { MAX_EXPANDED_KEYS, expandRows } from '../../definitions/partitions/partitions.ts';
import { type Mark, markSelection } from '../../engine/mark.ts';
import { type Routes, actorOf } from '../context.ts';
import { RequestInvalidError } from '../errors.ts';
import { API_PREFIX } from '../openapi.ts';
import { expandRanges } from '../ranges.ts';
import { Reason, named } from '../schema.ts';
import { markedOutcomes } from '../undo.ts';
import { AssetParams } from './assets.ts';

const Selection = {
  partitions: z
    .array(z.string().min(1).max(600))
    .max(10_000)
    .default([])
    .describe('Keys, or ranges such as `1..5_2024-01-01..2024-01-31`.'),
  row: z.string().max(512).optional().describe('Every partition of this row.'),
  ids: z
    .array(z.string().min(1).max(512))
    .max(10_000)
    .default([])
    .describe('Every partition of these: ids, or ranges of them such as `1..50`.'),
  reason: Reason.min(1, 'say why, for the audit log'),
  preview: z.boolean().default(false).describe('Only counts what would change.'),
};

interface Selected {
  readonly partitions: readonly string[];
  readonly row?: string | undefined;
  readonly ids: readonly string[];
}

export const Marked = named(
  'Marked',
  z.object({ changed: z.number(), busy: z.number().describe('Left alone because they are queued or running.') }),
);

export const markRoutes: Routes = (app, { engine }) => {
  const find = (key: string, { partitions, row, ids }: Selected) => {
    const asset = lookUp('asset', engine.deployment.assets, key);
    const rows = [...(row === undefined ? [] : [row]), ...expandRows(asset.partitions, ids, MAX_ROWS)];
    const keys = expandRanges(asset, partitions, MAX_EXPANDED_KEYS);
    if (keys.length + rows.length > 0) return { asset, keys, rows };
    throw new RequestInvalidError('body: name partitions, a row, or ids.');
  };

  const count = (request: FastifyRequest, found: ReturnType<typeof find>, as: Mark) => {
    request.auditNote = { target: `asset:${found.asset.key}`, after: { preview: true } };
    return markSelection(engine, found.asset, found, as, actorOf(request), { preview: true });
  };

  /** For the audit log. */
  const shown = ({ partitions, row, ids }: Selected) => ({
    partitions: partitions.slice(0, 100),
    row,
    ...(ids.length === 0 ? {} : { ids: ids.slice(0, 100) }),
  });

  app.post(
    `${API_PREFIX}/assets/:key/partitions/mark`,
    {
      schema: {
        operationId: 'markPartitions',
        summary: 'Say that partitions are made, or need not be',
        tags: ['partitions'],
        params: AssetParams,
        body: z.strictObject({ as: z.enum(['materialized', 'skipped']), ...Selection }),
        response: { 200: Marked },
      },
    },
    async (request) => {
      const { as, reason, preview } = request.body;
      const { key } = request.params;
      const found = find(key, request.body);
      if (preview) return { ...(await count(request, found, as)) };
      const before = await markedOutcomes(engine, key, found);
      const marked = await markSelection(engine, found.asset, found, as, actorOf(request));
      const after = { as, ...shown(request.body), ...marked, ...(await markedOutcomes(engine, key, found)) };
      request.auditNote = { target: `asset:${key}`, reason, before, after };
      return { ...marked };
    },
  );

  app.post(
    `${API_PREFIX}/assets/:key/partitions/forget`,
    {
      schema: {
        operationId: 'forgetPartitions',
        summary: 'Forget what partitions ended as, and their last runs',
        tags: ['partitions'],
        params: AssetParams,
        body: z.strictObject(Selection),
        response: { 200: Marked },
      },
    },
    async (request) => {
      const { key } = request.params;
      const found = find(key, request.body);
      if (request.body.preview) return { ...(await count(request, found, 'missing')) };
      const marked = await markSelection(engine, found.asset, found, 'missing', actorOf(request));
      const after = { as: 'missing', ...shown(request.body), ...marked };
      request.auditNote = { target: `asset:${key}`, reason: request.body.reason, after };
      return { ...marked };
    },
  );
};

/** Rows of one mark. */
const MAX_ROWS = 10_000;
