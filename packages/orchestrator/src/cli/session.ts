/**
 * What one command works with, opened at first use and closed when it ends: the deployment, the ledger, resources. It is
 * also the context that job families' commands are given. Results go to stdout, everything else to stderr.
 */

import { userInfo } from 'node:os';

import { findConfig } from './load-deployment.ts';
import type { SkeinClient } from '../definitions/client.ts';
import type { Logger } from '../definitions/context.ts';
import type { CommandContext, Deployment, Environment } from '../definitions/deployment.ts';
import type { Json } from '../definitions/json.ts';
import type { Resource } from '../definitions/resource.ts';
import type { Engine } from '../engine/engine.ts';
import type { ResourcePool } from '../worker/resources.ts';
import type { Interrupts } from './interrupts.ts';
import type { RemoteServer } from './remote/server.ts';

export interface Session extends CommandContext {
  readonly env: Environment;
  readonly json: boolean;
  /** `cli:<operating-system user>`: whom the ledger and the audit log name. */
  readonly by: string;
  readonly allowUnsafeRedis: boolean;
  readonly interrupts: Interrupts;
  /** Where `--server` says; undefined: the ledger itself. */
  readonly server: RemoteServer | undefined;
  /** @throws what went wrong when the configuration was loaded */
  readonly deployment: Deployment;
  engine(): Promise<Engine>;
  resources(): Promise<ResourcePool>;
  /** Of this process, on stderr. */
  log(): Promise<Logger>;
  /** Writes what this command changed into the audit log. */
  audit(entry: Change): Promise<void>;
  /** Like `exitWith`, also for an interrupted command. */
  endWith(code: 0 | 1 | 2 | 130): void;
}

interface Change {
  /** The command, such as `skein runs cancel`. */
  readonly action: string;
  /** Kind and name, such as `run:01JD…`. */
  readonly target: string;
  readonly reason?: string | undefined;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Runs one action with a session of its own; commands are registered with it. */
export type RunAction = (action: (session: Session) => Promise<void>) => Promise<void>;

export interface SessionOptions {
  readonly env: Environment;
  readonly json: boolean;
  readonly allowUnsafeRedis: boolean;
  readonly interrupts: Interrupts;
  readonly server: RemoteServer | undefined;
  readonly loadDeployment: () => Deployment;
  readonly endWith: (code: 0 | 1 | 2 | 130) => void;
}

export interface OpenedSession {
  readonly session: Session;
  close(): Promise<void>;
}

export function openSession(options: SessionOptions): OpenedSession {
  let engine: Promise<Engine> | undefined;
  let pool: Promise<ResourcePool> | undefined;
  let log: Promise<Logger> | undefined;
  let env: Environment | undefined;

  const environment = () => (env ??= options.loadDeployment().environment(options.env));
  const openEngine = async () => {
    const { openEngine: open } = await import('../engine/engine.ts');
    const deploymentFile = findConfig(process.cwd());
    return open(options.loadDeployment(), {
      env: options.env,
      allowUnsafeRedis: options.allowUnsafeRedis,
      ...(deploymentFile === undefined ? {} : { deploymentFile }),
    });
  };
  const openPool = async () => {
    const { createResourcePool } = await import('../worker/resources.ts');
    return createResourcePool(options.loadDeployment(), environment(), await session.log());
  };
  const openLog = async (): Promise<Logger> => {
    const [{ createProcessLog }, { readSettings }] = await Promise.all([
      import('../telemetry/process-log.ts'),
      import('../engine/settings.ts'),
    ]);
    return createProcessLog({ level: readSettings(environment()).logLevel, env: environment() });
  };

  const session: Session = {
    get env() {
      return environment();
    },
    get deployment() {
      return options.loadDeployment();
    },
    json: options.json,
    by: `cli:${userName()}`,
    allowUnsafeRedis: options.allowUnsafeRedis,
    interrupts: options.interrupts,
    server: options.server,
    engine: () => (engine ??= openEngine()),
    resources: () => (pool ??= openPool()),
    log: () => (log ??= openLog()),
    open: async <T>(token: Resource<T>) => (await session.resources()).open(token),
    async client(): Promise<SkeinClient> {
      const { createClient } = await import('../engine/client.ts');
      return createClient(await session.engine());
    },
    print(value: Json, lines) {
      if (!options.json) for (const line of lines()) process.stdout.write(`${line}\n`);
      else process.stdout.write(`${JSON.stringify(value, null, process.stdout.isTTY ? 2 : 0)}\n`);
    },
    async audit(change) {
      const [{ appendAudit }, { scrubJson }, engine] = await Promise.all([
        import('../api/audit.ts'),
        import('../telemetry/scrub.ts'),
        session.engine(),
      ]);
      // The command line speaks to Redis itself, so it is as mighty as that access.
      const who = { actor: session.by, role: 'admin', ip: '', requestId: '', result: 'ok' };
      const clean = JSON.parse(scrubJson(engine.scrub, JSON.stringify(change))) as typeof change;
      await appendAudit(engine, { ...who, ...clean });
    },
    note: (line) => void process.stderr.write(`${line}\n`),
    exitWith: options.endWith,
    endWith: options.endWith,
  };

  return {
    session,
    async close() {
      // In reverse order of use; what never opened is not closed, and what failed to open has said so already.
      await (await pool?.catch(() => undefined))?.close();
      await (await engine?.catch(() => undefined))?.close();
    },
  };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env.USER ?? 'unknown'; // a user id without an entry, as in some containers
  }
}
