/**
 * Questions in SQL, as `skein sql` asks them. One SELECT over what is loaded for it, in a database that reads nothing
 * else; bounded in time, rows, bytes and number, because it is work for this server and its Redis.
 */

import { z } from 'zod';

import { RefusedError } from '../../definitions/errors.ts';
import type { QueryAnswer } from '../../history/query.ts';
import type { Routes } from '../context.ts';
import { RateLimitedError } from '../errors.ts';
import { API_PREFIX } from '../openapi.ts';
import { named } from '../schema.ts';

const MAX_MS = 30_000;
/** Of JSON; a browser still shows it, and 64 KB lines of a log do not add up to more than a server has. */
const MAX_BYTES = 4 * 1_048_576;
/** At once, of one server: each may take a gigabyte. */
const MAX_QUERIES = 2;

const SqlAnswer = named(
  'SqlAnswer',
  z.object({
    columns: z.array(z.string()),
    rows: z.array(z.record(z.string(), z.unknown())),
    cut: z.boolean().describe(`There are more rows than \`max_rows\`, or than ${MAX_BYTES / 1_048_576} MiB of them.`),
    notes: z.array(z.string()).describe('What a reader must know, such as what of the ledger was not loaded.'),
  }),
);

export const sqlRoutes: Routes = (app, { engine }) => {
  let running = 0;

  app.post(
    `${API_PREFIX}/sql`,
    {
      config: { changesNothing: true },
      schema: {
        operationId: 'querySql',
        summary: 'One SELECT (DuckDB) over runs, run_partitions, ticks, events and partitions, live and past',
        description:
          `Configs are as they were sent, without masks. At most ${MAX_QUERIES} at once on a server (429), and ` +
          `${MAX_MS / 1_000} s each (409). “DESCRIBE runs” lists columns.`,
        tags: ['sql'],
        body: z.strictObject({
          query: z
            .string()
            .min(1)
            .max(20_000)
            .meta({ examples: ['SELECT job, count(*) AS n FROM runs GROUP BY job'] }),
          live: z.number().int().min(0).max(100_000).default(20_000).describe('Runs of the ledger, newest first.'),
          max_rows: z.number().int().min(1).max(2_000).default(500),
        }),
        response: { 200: SqlAnswer },
      },
    },
    async ({ body }, reply) => {
      if (running >= MAX_QUERIES) {
        reply.header('retry-after', 5);
        throw new RateLimitedError(`This server works on ${MAX_QUERIES} queries already; ask again in a moment.`);
      }
      running++;
      const gone = new AbortController();
      const tooLong = AbortSignal.timeout(MAX_MS);
      const onGone = () => gone.abort();
      reply.raw.once('close', onGone);
      try {
        // A native library of some 60 MB: loaded by who asks.
        const { querySql } = await import('../../history/query.ts');
        const signal = AbortSignal.any([gone.signal, tooLong]);
        return bounded(await querySql(engine, body.query, { live: body.live, maxRows: body.max_rows, signal }));
      } catch (error) {
        if (gone.signal.aborted) throw new RefusedError('Whoever asked went away, so the query was stopped.');
        if (!tooLong.aborted) throw error;
        throw new RefusedError(`The query took longer than ${MAX_MS / 1_000} s and was stopped.`, {
          hint: 'Ask for less, or use “skein sql” on a machine of its own.',
        });
      } finally {
        running--;
      }
    },
  );
};

function bounded({ columns, rows, cut, notes }: QueryAnswer): z.input<typeof SqlAnswer> {
  let bytes = 0;
  const most = rows.findIndex((row) => (bytes += Buffer.byteLength(JSON.stringify(row))) > MAX_BYTES);
  const shown = most < 0 ? rows : rows.slice(0, most);
  return { columns: [...columns], rows: shown.map((row) => ({ ...row })), cut: cut || most >= 0, notes: [...notes] };
}
