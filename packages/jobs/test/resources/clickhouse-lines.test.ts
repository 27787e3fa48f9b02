/** Reading an answer as bytes of whole lines: wherever it is cut on the way, and wherever the server fails. */

import http from 'node:http';
import type { AddressInfo } from 'node:net';

import fc from 'fast-check';

import { type ClickHouse, openClickHouse } from '../../src/resources/clickhouse.ts';
import { serviceIsAvailable } from '../../../../infra/embedded/test-services/index.ts';

/** What the server says, piece by piece; each is sent on its own. */
let pieces: readonly Buffer[] = [];
let headers: http.OutgoingHttpHeaders = {};
let clickhouse: ClickHouse;
const server = http.createServer((request, response) => {
  request.resume().on('end', () => void answer(response));
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  clickhouse = openClickHouse(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterAll(async () => {
  await clickhouse.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function answer(response: http.ServerResponse): Promise<void> {
  response.writeHead(200, headers);
  for (const piece of pieces) {
    response.write(piece);
    await new Promise(setImmediate);
  }
  response.end();
}

async function read(from: ClickHouse, sql = 'SELECT 1'): Promise<Buffer[]> {
  const blocks: Buffer[] = [];
  for await (const block of from.lines(sql)) blocks.push(block);
  return blocks;
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end)).filter(({ length }) => length > 0);
}

const TAG = 'abcdefghijklmnop';
const failure = (text: string) =>
  Buffer.from(`\r\n__exception__\r\n${TAG}\r\n${text}\n${Buffer.byteLength(text) + 1} ${TAG}\r\n__exception__\r\n`);

test('every byte comes once, in order, and every block but the last ends with its line', async () => {
  headers = {};
  const line = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.replace(/[\n\r]/g, 'é'));
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.boolean(), fc.array(fc.nat()), async (lines, isEnded, places) => {
      const bytes = Buffer.from(lines.join('\n') + (isEnded ? '\n' : ''));
      pieces = cut(bytes, places);
      const blocks = await read(clickhouse);
      expect(Buffer.concat(blocks)).toEqual(bytes);
      expect(blocks.slice(0, -1).filter((block) => block.at(-1) !== 10)).toEqual([]);
      expect(blocks.filter(({ length }) => length === 0)).toEqual([]);
    }),
    { numRuns: 100 },
  );
});

test('a server that fails in the middle: the rows before it, then its error, wherever the answer is cut', async () => {
  headers = { 'x-clickhouse-exception-tag': TAG };
  const bytes = Buffer.concat([
    Buffer.from('1\n2\n'),
    failure('Code: 241. DB::Exception: too much. (MEMORY_LIMIT_EXCEEDED)'),
  ]);
  for (let place = 1; place < bytes.length; place++) {
    pieces = cut(bytes, [place]);
    await expect(read(clickhouse)).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('too much') as string,
    });
  }
});

test('a failure that was cut off on the way is a failure', async () => {
  headers = { 'x-clickhouse-exception-tag': TAG };
  const whole = failure('Code: 241. DB::Exception: too much. (MEMORY_LIMIT_EXCEEDED)');
  for (const length of [2, 17, 40, whole.length - 1]) {
    pieces = [Buffer.from('1\n'), whole.subarray(0, length)];
    await expect(read(clickhouse)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  }
});

(serviceIsAvailable('clickhouse') ? test : test.skip)(
  'a real one: escapes stay, and its error in the middle comes',
  async () => {
    const real = openClickHouse(process.env.SKEIN_CLICKHOUSE_URL ?? '');
    try {
      const blocks = await read(real, String.raw`SELECT number, 'a\tb\n\r' FROM numbers(50000)`);
      const lines = Buffer.concat(blocks).toString().split('\n');
      expect([lines.length, lines[49_999], lines[50_000]]).toEqual([50_001, String.raw`49999	a\tb\n\r`, '']);
      const failing = read(
        real,
        'SELECT throwIf(number = 90000), number FROM numbers(100000) SETTINGS max_block_size = 1000',
      );
      await expect(failing).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', retryable: false });
    } finally {
      await real.close();
    }
  },
);
