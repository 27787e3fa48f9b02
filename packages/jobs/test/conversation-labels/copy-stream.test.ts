/** The stream from PostgreSQL to ClickHouse when one of its ends breaks: no hang, no half taken for a whole. */

import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import type { Readable } from 'node:stream';

import { type ClickHouse, createPool } from '@skein/jobs';
import type pg from 'pg';

import { testDatabase, type TestDatabase } from '../../../../infra/embedded/test-services/index.ts';
import { copyToClickHouse } from '../../src/conversation-labels/copy-stream.ts';

let database: TestDatabase;
let db: pg.Pool;
beforeAll(async () => {
  database = await testDatabase('empty');
  db = createPool(database.url);
});
afterAll(async () => {
  await db.end();
  await database.drop();
});

/** Far more than all buffers on the way hold; made row by row, not materialized first. */
const ENDLESS = `COPY (SELECT generate_series(1, 100000000), repeat('x', 100)) TO STDOUT`;

function copy(
  insert: ClickHouse['insert'],
  options: { readonly db?: pg.Pool; readonly sql?: string; readonly signal?: AbortSignal } = {},
) {
  const clickhouse = { insert } as ClickHouse;
  return copyToClickHouse({
    db: options.db ?? db,
    clickhouse,
    sql: options.sql ?? ENDLESS,
    customerId: 'c',
    clockMs: 0,
    table: 't',
    columns: ['a', 'b'],
    signal: options.signal ?? new AbortController().signal,
  });
}

/** Reads a part, then does what the test wants, then reads on to the end, as an insert would. */
const reading =
  (then: () => Promise<unknown>): ClickHouse['insert'] =>
  async (_table, values) => {
    const body = values as Readable;
    let bytes = 0;
    for await (const chunk of body) {
      const before = bytes;
      bytes += (chunk as Buffer).length;
      if (before < 3_000_000 && bytes >= 3_000_000) await then();
    }
  };

test('all rows arrive, and are counted', async () => {
  let bytes = 0;
  const rows = await copy(
    async (_table, values) => {
      for await (const chunk of values as Readable) bytes += (chunk as Buffer).length;
    },
    { sql: `COPY (SELECT i FROM generate_series(100000, 199999) i) TO STDOUT` },
  );
  expect([rows, bytes]).toEqual([100_000, 700_000]);
});

test.each([
  ['arrived whole', async (values: Readable) => void (await values.toArray())],
  ['was refused', () => Promise.reject(new Error('refused'))],
])('nothing waits for an answer any more once it %s', async (_, insert) => {
  const hour = 3_600_000;
  const patient = createPool(`${database.url}?query_timeout=${hour}`);
  const armed = new Set<unknown>();
  const set = jest.spyOn(globalThis, 'setTimeout');
  const clear = jest.spyOn(globalThis, 'clearTimeout');
  try {
    const sql = `COPY (SELECT i FROM generate_series(1, 10) i) TO STDOUT`;
    await copy((_table, values) => insert(values as Readable), { db: patient, sql }).catch(() => {});
    set.mock.calls.forEach(([, ms], at) => Number(ms) === hour && armed.add(set.mock.results[at]?.value));
    const inAll = armed.size;
    for (const [timer] of clear.mock.calls) armed.delete(timer);
    expect([inAll > 3, armed.size]).toEqual([true, 0]);
  } finally {
    set.mockRestore();
    clear.mockRestore();
    await patient.end();
  }
});

test('PostgreSQL goes away in the middle: the insert fails too, and is not taken for complete', async () => {
  let ended: unknown = 'ended';
  const insert: ClickHouse['insert'] = async (table, values, options) => {
    (values as Readable).once('error', (error) => (ended = error));
    await reading(() =>
      db.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%COPY (SELECT%' AND pid <> pg_backend_pid() AND datname = current_database()`,
      ),
    )(table, values, options);
  };
  await expect(copy(insert)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', system: 'postgres' });
  expect(ended).toBeInstanceOf(Error);
});

test('ClickHouse refuses in the middle: its reason comes back at once, and nothing is left on the server or in the way of the next copy', async () => {
  const refusal = new TypeError('disk full');
  const failing: ClickHouse['insert'] = async (_table, values) => {
    await once(values as Readable, 'readable');
    throw refusal;
  };
  for (let i = 0; i < 12; i++) await expect(copy(failing)).rejects.toBe(refusal);
  expect(db.totalCount).toBeLessThanOrEqual(10);
  const draining: ClickHouse['insert'] = async (_table, values) => {
    (values as Readable).resume();
    await once(values as Readable, 'end');
  };
  expect(await copy(draining, { sql: 'COPY (SELECT 1) TO STDOUT' })).toBe(1);
  await untilNoCopy();
});

test('a link that is lost while ClickHouse refuses: the reason comes back at once, and the session ends', async () => {
  const refusal = new TypeError('disk full');
  const link = await lossyLink(database.url);
  const behind = createPool(link.url);
  try {
    const failing: ClickHouse['insert'] = async (_table, values) => {
      await once(values as Readable, 'readable');
      link.lose();
      throw refusal;
    };
    await expect(copy(failing, { db: behind })).rejects.toBe(refusal);
    await untilNoCopy();
  } finally {
    await behind.end();
    await link.close();
  }
});

test('a cancelled run ends the query on the server', async () => {
  const cancel = new AbortController();
  await expect(
    copy(
      reading(async () => cancel.abort(new TypeError('cancelled'))),
      { signal: cancel.signal },
    ),
  ).rejects.toThrow('cancelled');
  await untilNoCopy();
});

/** Jest ends a test that waits too long. */
async function untilNoCopy(): Promise<void> {
  for (;;) {
    const { rowCount } = await db.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE 'COPY (SELECT%'`,
    );
    if (rowCount === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A way to the server on which what is there falls silent, both ways, without an end; new connections get through. */
async function lossyLink(url: string) {
  const { hostname, port } = new URL(url);
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    sockets.push(near, far);
    for (const socket of [near, far]) socket.on('error', () => {});
    near.pipe(far);
    far.pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: url.replace(`${hostname}:${port}`, `127.0.0.1:${(server.address() as AddressInfo).port}`),
    lose: () => {
      for (const socket of sockets) socket.unpipe();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
