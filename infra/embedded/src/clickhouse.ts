/**
 * Owns the embedded ClickHouse: the real engine (chDB) in a process of its own, behind ClickHouse's HTTP interface
 * (`bridge/`), so that clients use it by URL as in production.
 */

import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL, fileURLToPath } from 'node:url';

import type { BridgeConfig } from './bridge/main.ts';
import { freePort, LOOPBACK, probe } from './ports.ts';
import type { Service } from './service.ts';
import { startProcess } from './start-process.ts';

const USER = 'skein';
const DATABASE = 'skein';

/** Queries at once. More only share the same cores; fewer would let a slow export hold up the tests beside it. */
const CONCURRENCY = 8;
/** Threads beyond the queries, for KILL QUERY and for file work. */
const SPARE_THREADS = 8;

export const clickhouse: Service = {
  name: 'clickhouse',
  variables: ['SKEIN_CLICKHOUSE_URL'],
  stopSignal: 'SIGTERM',
  async start({ dir, log, previous }) {
    const port = await freePort(previous?.port);
    const password = previous?.memory?.password ?? randomBytes(18).toString('base64url');
    const config: BridgeConfig = {
      port,
      user: USER,
      password,
      database: DATABASE,
      dataDirectory: path.join(dir, 'data'),
      temporaryDirectory: path.join(dir, 'incoming'),
      configFile: path.join(dir, 'engine.xml'),
      concurrency: CONCURRENCY,
    };
    mkdirSync(config.temporaryDirectory, { recursive: true });
    writeFileSync(config.configFile, ENGINE_CONFIG);
    const configFile = path.join(dir, 'bridge.json');
    writeFileSync(configFile, JSON.stringify(config, null, 2), { mode: 0o600 });

    const process = await startProcess(
      'ClickHouse',
      {
        command: globalThis.process.execPath,
        args: ['-C', 'source', '--import', tsx(), bridge(), configFile],
        env: { UV_THREADPOOL_SIZE: String(CONCURRENCY + SPARE_THREADS) },
        log,
        cwd: dir,
      },
      // Asking with the password makes sure that it is this one that answers.
      async () => (await probe(port, pingRequest(password)))?.toString().startsWith('HTTP/1.1 200') === true,
    );
    const url = `http://${USER}:${password}@${LOOPBACK}:${port}/${DATABASE}`;
    return { process, port, memory: { password }, env: { SKEIN_CLICKHOUSE_URL: url }, log, up: true };
  },
};

function pingRequest(password: string): string {
  const headers = ['Host: bridge', 'Connection: close', `X-ClickHouse-User: ${USER}`, `X-ClickHouse-Key: ${password}`];
  return `GET /?query=SELECT%201 HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`;
}

function tsx(): string {
  return pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
}

function bridge(): string {
  return path.join(path.dirname(fileURLToPath(import.meta.url)), 'bridge', 'main.ts');
}

/**
 * With librdkafka's own session time-out a killed consumer's partitions stay unread for 45 s; with 6 s, for 6.
 * The cluster of one node lets `Distributed` tables exist as in production.
 */
const ENGINE_CONFIG = `<clickhouse>
  <tcp_port>9000</tcp_port>
  <kafka>
    <session_timeout_ms>6000</session_timeout_ms>
    <heartbeat_interval_ms>1000</heartbeat_interval_ms>
  </kafka>
  <remote_servers>
    <default>
      <shard><replica><host>127.0.0.1</host><port>9000</port></replica></shard>
    </default>
  </remote_servers>
</clickhouse>
`;
