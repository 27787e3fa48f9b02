/** Listens: refuses to without sign-in anywhere but on loopback, pulses, and closes in order. */

import { isIP } from 'node:net';
import { lookup } from 'node:dns/promises';

import type { Logger } from '../definitions/context.ts';
import { RefusedError, ServiceError } from '../definitions/errors.ts';
import type { Engine } from '../engine/engine.ts';
import { startPulse } from '../engine/pulse.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ResourcePool } from '../worker/resources.ts';
import { isLoopbackName } from './access/authenticate.ts';
import { buildApp } from './app.ts';
import { readApiSettings } from './settings.ts';

export interface ServerOptions {
  /** Default: the settings of the environment. */
  readonly host?: string;
  readonly port?: number;
  readonly log: Logger;
  readonly resources?: ResourcePool;
  readonly metrics?: Metrics;
  readonly uiRoot?: string;
  /** False where another part of this process pulses already. */
  readonly pulse?: boolean;
}

export interface SkeinServer {
  /** Such as `http://127.0.0.1:3070`. */
  readonly url: string;
  close(): Promise<void>;
}

/** @throws RefusedError when it would be open to the network, ServiceError when the port is taken */
export async function startServer(engine: Engine, options: ServerOptions): Promise<SkeinServer> {
  const host = options.host ?? engine.settings.host;
  const port = options.port ?? engine.settings.port;
  const { log } = options;
  const { authMode } = readApiSettings(engine.env);
  if (authMode !== 'token' && !(await isLoopback(host))) {
    if (authMode === 'none') {
      throw new RefusedError(`Without sign-in Skein listens on loopback only, not on ${host}.`, {
        hint: 'Set SKEIN_AUTH_MODE=token, or SKEIN_HOST=127.0.0.1.',
      });
    }
    log.warn(
      'SKEIN_AUTH_MODE=none-insecure: everyone who reaches this address may launch, change and delete everything',
      { host },
    );
  }
  engine.tracing?.reportTo(log);
  const app = await buildApp(engine, options);
  const pulse =
    options.pulse === false
      ? undefined
      : startPulse(engine, (error) =>
          log.warn('a pulse failed', { error: error instanceof Error ? error.message : String(error) }),
        );
  try {
    const url = await app.listen({ host, port });
    log.info('the server listens', { url });
    return {
      url,
      async close() {
        await app.close();
        await pulse?.stop();
      },
    };
  } catch (error) {
    await app.close();
    await pulse?.stop();
    const code = (error as { code?: unknown }).code;
    if (code === 'EADDRINUSE' || code === 'EACCES') {
      throw new ServiceError(
        'server',
        `Port ${port} on ${host} is taken or not allowed. Choose another with SKEIN_PORT.`,
        {
          cause: error,
        },
      );
    }
    throw error;
  }
}

async function isLoopback(host: string): Promise<boolean> {
  if (isIP(host) || isLoopbackName(host)) return isLoopbackName(host);
  try {
    const addresses = await lookup(host, { all: true });
    return addresses.length > 0 && addresses.every(({ address }) => isLoopbackName(address));
  } catch {
    return false;
  }
}
