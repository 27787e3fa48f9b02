/** An API over the engine's test definitions, spoken to without a network: one key prefix each, closed after the test. */

import type { InjectOptions } from 'fastify';

import { buildApp } from '../../src/api/app.ts';
import type { App } from '../../src/api/context.ts';
import { createToken } from '../../src/api/access/tokens.ts';
import type { Role } from '../../src/api/access/principal.ts';
import { type Deployment, type RouteFamily, defineDeployment, defineSchedule, lookUp } from '../../src/index.ts';
import { type Behaviour, type Harness, SILENT, openHarness, testDeployment } from '../engine/harness.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
  readonly text: string;
  readonly raw: Buffer;
  /** Of JSON answers; undefined otherwise. */
  readonly body: Body;
}

/** What a test looks into: typed loosely, because each asserts what it expects. */
export interface Body {
  readonly [name: string]: Body;
  readonly [index: number]: Body;
}

export interface ApiHarness extends Harness {
  readonly app: App;
  get(url: string, options?: InjectOptions): Promise<Answer>;
  post(url: string, payload?: object, options?: InjectOptions): Promise<Answer>;
  send(method: 'PUT' | 'PATCH' | 'DELETE', url: string, payload?: object, options?: InjectOptions): Promise<Answer>;
  token(role: Role, expiresAt?: Date): Promise<{ readonly token: string; readonly id: string }>;
  /** Polls until the value is wanted; fails after ten seconds. */
  until<T>(read: () => Promise<T>, wanted: (value: T) => boolean): Promise<T>;
}

/** The engine's test definitions with a schedule and a family's routes. */
export function apiDeployment(
  behave: Behaviour = () => ({ rows: 1 }),
  definitions: Parameters<typeof testDeployment>[1] = {},
  routes: readonly RouteFamily[] = [],
): Deployment {
  const base = testDeployment(behave, definitions);
  const nightly = defineSchedule({
    name: 'nightly',
    description: 'The day before, every night.',
    job: lookUp('job', base.jobs, 'events_job'),
    cron: '0 3 * * *',
    requests: (at) => [{ partitions: [`1_${at.toISOString().slice(0, 10)}`] }],
  });
  return defineDeployment({
    definitions: {
      jobs: [...base.jobs.values()],
      sensors: [...base.sensors.values()],
      schedules: [nightly],
      pools: base.pools,
    },
    routes,
  });
}

const open: { app: App; harness: Harness }[] = [];

export async function openApi(
  behave: Behaviour = () => ({ rows: 1 }),
  options: {
    readonly env?: Record<string, string>;
    readonly deployment?: Deployment;
    readonly definitions?: Parameters<typeof testDeployment>[1];
  } = {},
): Promise<ApiHarness> {
  const harness = await openHarness(options.deployment ?? apiDeployment(behave, options.definitions), options.env);
  const app = await buildApp(harness.engine, { log: SILENT, uiRoot: '/nonexistent' }).catch(async (error: unknown) => {
    await harness.close();
    throw error;
  });
  open.push({ app, harness });
  const inject = async (request: InjectOptions): Promise<Answer> => {
    const reply = await app.inject({ ...request, headers: { host: 'localhost', ...request.headers } });
    const type = String(reply.headers['content-type'] ?? '');
    return {
      status: reply.statusCode,
      headers: reply.headers,
      text: reply.body,
      raw: reply.rawPayload,
      body: (type.includes('json') && !reply.headers['content-encoding'] ? reply.json() : undefined) as Body,
    };
  };
  const withBody = (payload: object | undefined) => (payload === undefined ? {} : { payload });
  return {
    ...harness,
    app,
    get: (url, more = {}) => inject({ method: 'GET', url, ...more }),
    post: (url, payload, more = {}) => inject({ method: 'POST', url, ...withBody(payload), ...more }),
    send: (method, url, payload, more = {}) => inject({ method, url, ...withBody(payload), ...more }),
    async token(role, expiresAt) {
      const made = await createToken(harness.engine, {
        name: `${role} of the test`,
        role,
        by: 'test',
        ...(expiresAt === undefined ? {} : { expiresAt }),
      });
      return { token: made.token, id: made.record.id };
    },
    async until(read, wanted) {
      const deadline = Date.now() + 10_000;
      for (;;) {
        const value = await read();
        if (wanted(value)) return value;
        if (Date.now() > deadline) throw new RangeError(`Not within ten seconds; last: ${JSON.stringify(value)}`);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

/** One that goes on for as long as a test looks at it; gives its address. */
export async function yearOfBackfill(api: ApiHarness): Promise<string> {
  const made = await api.post('/api/v1/backfills', {
    job: 'events_job',
    ids: ['9'],
    from: '2024-01-01',
    to: '2024-12-31',
    max_active: 1,
  });
  return `/api/v1/backfills/${String(made.body.id)}`;
}

export async function closeApis(): Promise<void> {
  for (const { app, harness } of open.splice(0)) {
    await app.close();
    await harness.close();
  }
}
