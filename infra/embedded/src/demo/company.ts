/** A whole Skein in this process over the embedded services, and the connections with which the parts look at the data. */

import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { type ClickHouse, type PersonsDb, type Publisher, appDb, clickhouse, kafka, personsDb } from '@skein/jobs';
import { type Deployment, type Json, type Logger } from '@skein/orchestrator';
import {
  type Engine,
  type ResourcePool,
  type SkeinServer,
  type SkeinWorker,
  createClient,
  createResourcePool,
  openEngine,
  setCursor,
  switchTrigger,
  startServer,
  startWorker,
} from '@skein/orchestrator/runtime';
import type pg from 'pg';

import { embeddedPublisherBinding } from '../embedded-publisher.ts';
import type { DemoContext } from './part.ts';

export interface Company {
  readonly engine: Engine;
  readonly server: SkeinServer;
  readonly context: DemoContext;
  /** Sensors that parts have started. */
  readonly sensors: ReadonlySet<string>;
  close(): Promise<void>;
}

/** Steps at once: the two cores of a small machine, and some that wait for a catalog or a disk. */
const CONCURRENCY = 8;

export async function openCompany(
  root: string,
  env: Readonly<Record<string, string | undefined>>,
  scale: number,
  log: Logger,
): Promise<Company> {
  const deployment = await loadDeployment(root, env);
  const engine = await openEngine(deployment, { env, deploymentFile: path.join(root, 'skein.config.ts') });
  const resources = createResourcePool(deployment, engine.env, log);
  const sensors = new Set<string>();
  const server = await listen(engine, log, resources);
  const worker = await startWorker(engine, { concurrency: CONCURRENCY, log, resources });
  return {
    engine,
    server,
    context: await createContext(engine, resources, scale, sensors),
    sensors,
    close: () => close(engine, server, worker, resources),
  };
}

async function close(engine: Engine, server: SkeinServer, worker: SkeinWorker, resources: ResourcePool): Promise<void> {
  await server.close();
  await worker.stop(2_000);
  await resources.close();
  await engine.close();
}

/** The port that was asked for or the usual one; any free one when something else, such as an older demo, has it. */
async function listen(engine: Engine, log: Logger, resources: ResourcePool): Promise<SkeinServer> {
  try {
    return await startServer(engine, { log, resources, pulse: false });
  } catch {
    return startServer(engine, { log, resources, pulse: false, port: 0 });
  }
}

/** The project's own deployment; where there is no Kafka, with a publisher that fills the tables that Kafka would fill. */
async function loadDeployment(root: string, env: Readonly<Record<string, string | undefined>>): Promise<Deployment> {
  const { deployment } = (await import(pathToFileURL(path.join(root, 'skein.config.ts')).href)) as {
    deployment: Deployment;
  };
  if (env.SKEIN_KAFKA_BROKERS) return deployment;
  return { ...deployment, resources: new Map([...deployment.resources, [kafka.name, embeddedPublisherBinding()]]) };
}

async function createContext(
  engine: Engine,
  resources: ResourcePool,
  scale: number,
  sensors: Set<string>,
): Promise<DemoContext> {
  const opened = {
    clickhouse: await resources.open<ClickHouse>(clickhouse),
    personsDb: await resources.open<PersonsDb>(personsDb),
    appDb: await resources.open<pg.Pool>(appDb),
    publisher: await resources.open<Publisher>(kafka),
  };
  return {
    ...opened,
    env: engine.env,
    client: createClient(engine),
    scale,
    now: new Date(),
    async startSensor(name: string, cursor?: Json) {
      if (cursor !== undefined) await setCursor(engine, name, cursor, { by: 'demo', reason: 'the demo starts it' });
      await switchTrigger(engine, 'sensor', name, 'RUNNING', 'demo');
      sensors.add(name);
    },
  };
}
