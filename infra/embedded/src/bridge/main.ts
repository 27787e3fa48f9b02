/**
 * The bridge's process: `main.ts CONFIG.json`. A process of its own, because the engine holds one data directory for
 * as long as the process lives, and because its thread pool must be larger than Node's default.
 */

import { readFileSync } from 'node:fs';

import { openEngine } from './engine.ts';
import type { Credentials } from './request.ts';
import { createBridge } from './server.ts';

export interface BridgeConfig extends Credentials {
  readonly port: number;
  readonly dataDirectory: string;
  readonly temporaryDirectory: string;
  readonly configFile: string;
  readonly concurrency: number;
  readonly database: string;
}

function main(configFile: string): void {
  const config = JSON.parse(readFileSync(configFile, 'utf8')) as BridgeConfig;
  const engine = openEngine(config);
  // Before anything listens: nobody can be delayed by this blocking call.
  engine.base.query(`CREATE DATABASE IF NOT EXISTS \`${config.database}\``);
  const server = createBridge({ engine, credentials: config, temporaryDirectory: config.temporaryDirectory });
  server.listen(config.port, '127.0.0.1', () => process.stderr.write(`ready on port ${config.port}\n`));

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      server.close();
      server.closeAllConnections();
      engine.close();
      process.exit(0);
    });
  }
}

main(process.argv[2] ?? '');
