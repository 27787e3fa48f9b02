/** Records on their way to DuckDB: a file of JSON lines in a scratch directory, written with back pressure. */

import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { finished } from 'node:stream/promises';

import { literal } from './duckdb.ts';

/** DuckDB's own default for one line; more is asked for only where a line is longer, for it costs that in buffers. */
const DEFAULT_LINE = 16 * 1_048_576;

export interface JsonLines {
  readonly path: string;
  readonly count: number;
  readonly bytes: number;
  write(record: object): Promise<void>;
  end(): Promise<void>;
  /** As a table of SQL, with the columns given. */
  source(columns: Readonly<Record<string, string>>): string;
}

export function openJsonLines(file: string): JsonLines {
  const stream = createWriteStream(file, { mode: 0o600 });
  // Reported by `write` and `end`; without a listener it would end the process.
  stream.on('error', () => {});
  let [count, bytes, longest] = [0, 0, 0];
  return {
    path: file,
    get count() {
      return count;
    },
    get bytes() {
      return bytes;
    },
    async write(record) {
      const line = Buffer.from(`${JSON.stringify(record)}\n`);
      count++;
      bytes += line.length;
      longest = Math.max(longest, line.length);
      if (!stream.write(line) && stream.errored === null) await once(stream, 'drain');
      if (stream.errored !== null) throw stream.errored;
    },
    async end() {
      stream.end();
      await finished(stream);
    },
    source(columns) {
      const types = Object.entries(columns).map(([name, type]) => `${literal(name)}: ${literal(type)}`);
      const size = Math.max(DEFAULT_LINE, longest + 1);
      return `read_json(${literal(file)}, format = 'newline_delimited', columns = {${types.join(', ')}}, maximum_object_size = ${size})`;
    },
  };
}

/** Runs `work` with a directory of its own, which is gone afterwards. */
export async function withScratch<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(path.join(tmpdir(), 'skein-history-'));
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
