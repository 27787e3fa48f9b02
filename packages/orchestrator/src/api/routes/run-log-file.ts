/** A run's log as a file: read and sent piece by piece, so that a million lines are never held, here or in a browser. */

import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';

import { z } from 'zod';

import type { RunEvent } from '../../definitions/client.ts';
import type { AllRuns } from '../../history/all-runs.ts';
import { LINES_A_LOOK, type Wanted } from '../../engine/reads/look-in-log.ts';
import { type Scrub, scrubJson } from '../../telemetry/scrub.ts';
import type { Routes } from '../context.ts';
import { API_PREFIX } from '../openapi.ts';
import { toWanted, wantedQuery } from './run-log.ts';
import { toLogLine } from './run-schemas.ts';
import { RunParams } from './runs.ts';

const TYPES = { text: 'text/plain; charset=utf-8', jsonl: 'application/x-ndjson' } as const;

export const runLogFileRoutes: Routes = (app, { runs, scrub }) => {
  app.get(
    `${API_PREFIX}/runs/:id/log/file`,
    {
      schema: {
        operationId: 'downloadRunLog',
        summary: 'The log as a file: what the other ways to read it would give, as text or as a JSON line each',
        tags: ['runs'],
        params: RunParams,
        querystring: z.strictObject({ ...wantedQuery, format: z.enum(['text', 'jsonl']).default('text') }),
        response: {
          200: {
            description: 'A line of text, or of JSON, for each line of the log.',
            content: { 'text/plain': { schema: z.unknown() }, 'application/x-ndjson': { schema: z.unknown() } },
          },
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { format } = request.query;
      await runs.read(id);
      const write = format === 'text' ? toText : toJsonLine;
      const file = Readable.from(pieces(runs, id, toWanted(request.query), scrub, write));
      request.raw.on('close', () => file.destroy());
      reply
        .type(TYPES[format])
        .header('content-disposition', `attachment; filename="${id}.log${format === 'text' ? '.txt' : '.jsonl'}"`);
      if (!/\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))) return reply.send(file);
      const small = createGzip();
      file.on('error', (error) => small.destroy(error));
      return reply.header('content-encoding', 'gzip').header('vary', 'accept-encoding').send(file.pipe(small));
    },
  );
};

async function* pieces(
  runs: AllRuns,
  id: string,
  wanted: Wanted,
  scrub: Scrub,
  write: (event: RunEvent, scrub: Scrub) => string,
): AsyncGenerator<string> {
  for (let from: string | undefined; ;) {
    const batch = await runs.look(id, { from, isBackwards: false }, wanted, LINES_A_LOOK);
    yield batch.lines.map(({ event }) => write(event, scrub)).join('');
    if (batch.isEnd) return;
    from = batch.last;
  }
}

function toText(event: RunEvent, scrub: Scrub): string {
  const { at, level, message, fields } = toLogLine(event);
  const rest = Object.keys(fields).length === 0 ? '' : ` ${scrubJson(scrub, JSON.stringify(fields))}`;
  return `${at} ${level.padEnd(5)} ${scrub(message)}${rest}\n`;
}

const toJsonLine = (event: RunEvent, scrub: Scrub) => `${scrubJson(scrub, JSON.stringify(toLogLine(event)))}\n`;
