/** A person's say about partitions: mark, forget. What is queued or running is left alone. */

import { z } from 'zod';

import { lookUp } from '../../definitions/deployment.ts';
import { MAX_EXPANDED_KEYS } from '../../definitions/partitions/partitions.ts';
import { type MarkResult, markPartitions, markWholeRow } from '../../engine/mark.ts';
import { type Routes, actorOf } from '../context.ts';
import { RequestInvalidError } from '../errors.ts';
import { API_PREFIX } from '../openapi.ts';
import { expandRanges } from '../ranges.ts';
import { Reason, named } from '../schema.ts';
import { readOutcomes } from '../undo.ts';
import { AssetParams } from './assets.ts';

const Selection = {
  partitions: z
    .array(z.string().min(1).max(600))
    .max(10_000)
    .default([])
    .describe('Keys, or ranges such as `1..5_2024-01-01..2024-01-31`.'),
  row: z.string().max(512).optional().describe('Every partition of this row.'),
  reason: Reason.min(1, 'say why, for the audit log'),
};

const Marked = named(
  'Marked',
  z.object({ changed: z.number(), busy: z.number().describe('Left alone because they are queued or running.') }),
);

export const markRoutes: Routes = (app, { engine }) => {
  const apply = async (
    key: string,
    body: { partitions: string[]; row?: string | undefined },
    as: 'missing' | 'materialized' | 'skipped',
    by: string,
  ): Promise<MarkResult> => {
    const asset = lookUp('asset', engine.deployment.assets, key);
    if (body.partitions.length === 0 && body.row === undefined)
      throw new RequestInvalidError('body: name partitions or a row.');
    const keys = expandRanges(asset, body.partitions, MAX_EXPANDED_KEYS);
    const one = keys.length === 0 ? NOTHING : await markPartitions(engine, asset, keys, as, by);
    const whole = body.row === undefined ? NOTHING : await markWholeRow(engine, asset, body.row, as, by);
    return { changed: one.changed + whole.changed, busy: one.busy + whole.busy };
  };

  /** So that a mark can be undone, as long as it is not of too many. */
  const outcomes = async (key: string, body: { partitions: string[]; row?: string | undefined }) => {
    const asset = lookUp('asset', engine.deployment.assets, key);
    if (body.row !== undefined) return undefined;
    const keys = expandRanges(asset, body.partitions, MAX_EXPANDED_KEYS);
    return keys.length > MOST_UNDONE ? undefined : { outcomes: await readOutcomes(engine, key, keys) };
  };

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
      const { as, partitions, row, reason } = request.body;
      const { key } = request.params;
      const before = await outcomes(key, request.body);
      const marked = await apply(key, request.body, as, actorOf(request));
      const after = {
        as,
        partitions: partitions.slice(0, 100),
        row,
        ...marked,
        ...(await outcomes(key, request.body)),
      };
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
      const { partitions, row, reason } = request.body;
      const marked = await apply(request.params.key, request.body, 'missing', actorOf(request));
      const after = { as: 'missing', partitions: partitions.slice(0, 100), row, ...marked };
      request.auditNote = { target: `asset:${request.params.key}`, reason, after };
      return { ...marked };
    },
  );
};

/** Outcomes that an entry of the audit log holds. */
const MOST_UNDONE = 1_000;
const NOTHING: MarkResult = { changed: 0, busy: 0 };
