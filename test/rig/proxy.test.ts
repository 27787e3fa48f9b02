/** The proxy itself: each illness does what its name says, and what was held arrives when it heals. */

import { once } from 'node:events';
import net from 'node:net';

import { type Proxy, TOXICS, openProxy } from './proxy.ts';
import { until } from './rig.ts';

let echo: net.Server;
let proxy: Proxy;
const sockets: net.Socket[] = [];
const served = new Set<net.Socket>();

beforeEach(async () => {
  served.clear();
  echo = net.createServer((socket) => {
    served.add(socket);
    socket.on('error', () => {}).pipe(socket);
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  proxy = await openProxy((echo.address() as net.AddressInfo).port, () => 0.5);
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await proxy.close();
  await new Promise((resolve) => echo.close(resolve));
});

async function dial(): Promise<{ socket: net.Socket; heard: () => string; closed: () => boolean }> {
  const socket = net.connect(proxy.port, '127.0.0.1');
  sockets.push(socket);
  let text = '';
  let closed = false;
  socket
    .on('data', (chunk) => (text += chunk.toString()))
    .on('close', () => (closed = true))
    .on('error', () => {});
  await once(socket, 'connect');
  socket.write('hello');
  await until(() => text === 'hello', 'an echo', 5_000);
  return { socket, heard: () => text.slice(5), closed: () => closed };
}

test.each(['cut', 'cut towards it', 'cut from it'])(
  '%s: nothing arrives until it heals, then all of it',
  async (name) => {
    const { socket, heard, closed } = await dial();
    proxy.infect(TOXICS[name] ?? { kind: 'cut' });
    socket.write('there');
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect({ heard: heard(), closed: closed() }).toEqual({ heard: '', closed: false });
    proxy.heal();
    await until(() => heard() === 'there', 'what was held', 5_000);
  },
);

test('latency delays, bandwidth slows, a slicer cuts up and loses nothing', async () => {
  const { socket, heard } = await dial();
  const time = async (bytes: number) => {
    const from = heard().length;
    const began = performance.now();
    socket.write('x'.repeat(bytes));
    await until(() => heard().length === from + bytes, 'all of it', 10_000);
    return performance.now() - began;
  };
  proxy.infect({ kind: 'latency', ms: 100, jitterMs: 0 });
  expect(await time(10)).toBeGreaterThanOrEqual(190);
  proxy.infect({ kind: 'bandwidth', bytesPerSecond: 10_000 });
  expect(await time(5_000)).toBeGreaterThanOrEqual(450);
  proxy.infect({ kind: 'slicer', bytes: 16 });
  await time(2_000);
});

test('a reset ends what is open and what comes', async () => {
  const { closed } = await dial();
  proxy.infect({ kind: 'reset' });
  await until(closed, 'the connection is gone', 5_000);
  const socket = net.connect(proxy.port, '127.0.0.1').on('error', () => {});
  sockets.push(socket);
  await once(socket, 'connect');
  socket.write('hello');
  await new Promise((resolve) => socket.once('close', resolve));
});

test('a slow close is told later', async () => {
  const { closed } = await dial();
  proxy.infect({ kind: 'slow close', ms: 200 });
  const began = performance.now();
  for (const socket of served) socket.destroy();
  await until(closed, 'the end', 5_000);
  expect(performance.now() - began).toBeGreaterThanOrEqual(190);
});
