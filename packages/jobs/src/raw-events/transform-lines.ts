/** Lines of payloads in, lines of results out, in order, as a stream: neither side is held in memory. */

import { type Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { RequestError } from '@skein/orchestrator';
import { z } from 'zod';

import { NEWLINE } from './ascii.ts';
import { type Profile, transformRawEvent } from './transform.ts';

class CaseInvalidError extends RequestError {
  readonly code = 'RAW_EVENT_CASE_INVALID';
}

const Case = z.object({
  payload: z.string(),
  tenant_id: z.string().default(''),
  environment_id: z.string().default(''),
});

export interface LineOptions {
  readonly profile: Profile;
  /** Each line is a payload itself, also an empty one; the row says nothing. */
  readonly plain: boolean;
}

/** Results are written in pieces of about this size. */
const CHUNK_CHARACTERS = 65_536;

/** @throws CaseInvalidError that names the line, when it is no case */
export async function transformLines(input: Readable, output: Writable, options: LineOptions): Promise<void> {
  // stdout is not ours to end.
  await pipeline(input, (source: AsyncIterable<Buffer>) => results(linesOf(source), options), output, { end: false });
}

async function* results(lines: AsyncIterable<string>, options: LineOptions): AsyncGenerator<string> {
  let chunk = '';
  let number = 0;
  for await (const line of lines) {
    number++;
    if (!options.plain && line.trim() === '') continue;
    const { payload, ...row } = options.plain
      ? { payload: line, tenant_id: '', environment_id: '' }
      : parseCase(line, number);
    chunk += `${JSON.stringify(transformRawEvent(payload, row, options.profile))}\n`;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}

function parseCase(line: string, number: number): z.output<typeof Case> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new CaseInvalidError(
      `Line ${number} is not JSON; with --plain a line is the payload itself, whatever it is.`,
    );
  }
  const parsed = Case.safeParse(value);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join('.') || 'the line';
  throw new CaseInvalidError(
    `Line ${number}: ${field} must be text, as in {"payload": "…", "tenant_id": "t1", "environment_id": "e1"}.`,
  );
}

/** Split at newlines only: payloads may hold what other readers take for the end of a line. */
async function* linesOf(source: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  for await (const data of source) {
    const bytes = Buffer.from(data);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      parts.push(bytes.subarray(start, end));
      yield parts.length === 1 ? (parts[0] as Buffer).toString('utf8') : Buffer.concat(parts).toString('utf8');
      parts = [];
      start = end + 1;
    }
    if (start < bytes.length) parts.push(bytes.subarray(start));
  }
  if (parts.length > 0) yield Buffer.concat(parts).toString('utf8');
}
