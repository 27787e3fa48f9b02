/** Connections to Redis that are dead without a word. */

import { type AddressInfo, type Socket, connect, createServer } from 'node:net';

import { connectBlocking, endConnection } from '../../src/store/redis.ts';

const closing: (() => unknown)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

/** Passes everything on, until those that are connected by then are forgotten: they stay open, and nothing is said on them. */
async function openWay(url: URL) {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((client) => {
    connections++;
    const redis = connect(Number(url.port), url.hostname);
    for (const socket of [client, redis]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    client.pipe(redis).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    sockets.forEach((socket) => socket.destroy());
    server.close();
  });
  const through = new URL(url);
  through.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: through.href,
    connections: () => connections,
    forget: () => sockets.forEach((socket) => socket.unpipe().pause()),
  };
}

test('what waits for Redis on a connection that died in silence is answered on a new one', async () => {
  const way = await openWay(new URL(process.env.SKEIN_REDIS_URL ?? ''));
  const redis = connectBlocking(way.url, { silenceMs: 150 });
  closing.push(() => redis.disconnect());
  expect(await redis.ping()).toBe('PONG');
  way.forget();
  expect(await redis.ping()).toBe('PONG');
  expect(way.connections()).toBe(2);
});

test('a connection that is closed is ended without a trace', async () => {
  const redis = connectBlocking(process.env.SKEIN_REDIS_URL ?? '');
  await redis.ping();
  const ended = new Promise((resolve) => redis.once('end', resolve));
  endConnection(redis);
  await ended;
  const timers = () => process.getActiveResourcesInfo().filter((what) => what === 'Timeout').length;
  const before = timers();
  endConnection(redis);
  expect(timers()).toBe(before);
});
