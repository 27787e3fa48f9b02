/** One number a partition, such as its rows or how long it took: what a map can be coloured by. */

import { z } from 'zod';

import type { Asset } from '../../definitions/asset.ts';
import { lookUp } from '../../definitions/deployment.ts';
import type { Engine } from '../../engine/engine.ts';
import { readLastRuns } from '../../engine/partition-reader.ts';
import type { Routes } from '../context.ts';
import { RequestInvalidError } from '../errors.ts';
import { API_PREFIX } from '../openapi.ts';
import { isLedgerValue, readLedgerValues } from '../reads/ledger-values.ts';
import { AssetParams } from './assets.ts';

/** A window of a map; a run is read for each cell that ever ran. */
const MAX_CELLS = 20_000;

const Request = z.strictObject({
  rows: z.array(z.string().max(512)).min(1).max(1_000),
  from: z.number().int().min(0).describe('First column.'),
  to: z.number().int().min(0).max(10_000_000).describe('Last column, included.'),
  of: z
    .string()
    .min(1)
    .max(100)
    .describe(
      '`duration_ms`; `lag_ms`: from the end of the window until it was made; `age_ms`: since its last run ended; `tries`: runs that it took, with the unsuccessful ones; or the name of a number that the job records.',
    ),
});

const Answer = z.object({
  cells: z.array(z.array(z.number()).length(3)).describe('Index of the row in the request, column, value.'),
  names: z.array(z.string()).describe('Numbers that these partitions have recorded.'),
});

export const partitionValueRoutes: Routes = (app, { engine }) => {
  app.post(
    `${API_PREFIX}/assets/:key/partitions/values`,
    {
      config: { changesNothing: true },
      schema: {
        operationId: 'readPartitionValues',
        summary: 'A number of each partition of a rectangle, of its last run',
        tags: ['partitions'],
        params: AssetParams,
        body: Request,
        response: { 200: Answer },
      },
    },
    async ({ params, body }) => {
      if (body.to < body.from) throw new RequestInvalidError('body.to: lies before from.');
      if ((body.to - body.from + 1) * body.rows.length > MAX_CELLS)
        throw new RequestInvalidError(`body: has more than ${MAX_CELLS} cells; zoom in.`);
      const asset = lookUp('asset', engine.deployment.assets, params.key);
      return isLedgerValue(body.of)
        ? { cells: await readLedgerValues(engine, asset, body, body.of, Date.now()), names: [] }
        : readValues(engine, asset, body);
    },
  );
};

interface Cell {
  readonly key: string;
  readonly row: number;
  readonly column: number;
}

async function readValues(
  engine: Engine,
  asset: Asset,
  { rows, from, to, of }: z.output<typeof Request>,
): Promise<z.input<typeof Answer>> {
  const all: Cell[] = [];
  rows.forEach((row, i) => {
    for (let column = from; column <= to; column++) {
      const value = asset.partitions.at({ row, column });
      if (value !== undefined) all.push({ key: asset.partitions.format(value), row: i, column });
    }
  });
  const last = await readLastRuns(
    engine,
    asset,
    all.map(({ key }) => key),
  );
  const ran = all.filter(({ key }) => last.has(key));
  const pipeline = engine.redis.pipeline();
  for (const { key } of ran) {
    const { runId = '' } = last.get(key) ?? {};
    pipeline.hmget(engine.keys.run(runId), 'started', 'ended', 'part');
    pipeline.hget(engine.keys.runParts(runId), `${asset.key}|${key}`);
  }
  const replies = ran.length === 0 ? [] : ((await pipeline.exec()) ?? []).map(([, reply]) => reply);
  const names = new Set<string>();
  const cells = ran.flatMap(({ row, column }, i): [number, number, number][] => {
    const [started, ended, only] = replies[2 * i] as (string | null)[];
    const recorded = metadataOf(only ?? (replies[2 * i + 1] as string | null));
    for (const [name, value] of Object.entries(recorded)) if (typeof value === 'number') names.add(name);
    const value =
      of === 'duration_ms' ? (started && ended ? Number(ended) - Number(started) : undefined) : recorded[of];
    return typeof value === 'number' && Number.isFinite(value) ? [[row, column, value]] : [];
  });
  return { cells, names: [...names].sort() };
}

function metadataOf(text: string | null): Readonly<Record<string, unknown>> {
  return text === null ? {} : ((JSON.parse(text) as { m?: Record<string, unknown> }).m ?? {});
}
