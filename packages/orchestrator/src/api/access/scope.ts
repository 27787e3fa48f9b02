/**
 * What a principal sees when it is limited to some jobs: those, their assets, sensors, schedules, runs and backfills.
 * Everything else is not there for it: 404, as for a name that nobody gave. The table says for each route what it is
 * about; a route that stands in it nowhere is refused to limited principals, and a test fails.
 */

import type { FastifyRequest } from 'fastify';

import type { Deployment } from '../../definitions/deployment.ts';
import { lookUp } from '../../definitions/deployment.ts';
import { NotFoundError } from '../../definitions/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ApiContext } from '../context.ts';
import { ForbiddenError, RequestInvalidError } from '../errors.ts';
import type { RunQuery } from '../reads/run-query.ts';
import type { Principal } from './principal.ts';

type About =
  /** The kind of thing that the path names. */
  | 'asset'
  | 'job'
  | 'sensor'
  | 'schedule'
  | 'run'
  | 'backfill'
  /** The body's `job`. */
  | 'body'
  /** Lists that keep to the principal's jobs by themselves. */
  | 'list'
  /** Facts of the installation that tell of no job, and who one is. */
  | 'anyone'
  /** Changes for everybody. */
  | 'all jobs';

const V1 = '/api/v1';

/** The first that matches; `METHOD /route`. */
const ABOUT: readonly (readonly [RegExp, About])[] = [
  [/^\w+ \/(healthz|readyz|metrics)$/, 'anyone'],
  [at(`(openapi\\.json|docs.*|session.*|me|system)`), 'anyone'],
  [at('(pools/:name|tokens|tokens/:id|sql|audit|audit/:id/undo)'), 'all jobs'],
  [at('assets/:key.*'), 'asset'],
  [at('jobs/:(job|name).*'), 'job'],
  [at('sensors/:name.*'), 'sensor'],
  [at('schedules/:name.*'), 'schedule'],
  [at('runs/:id.*'), 'run'],
  [at('backfills/:id.*'), 'backfill'],
  [at('(launch|launch/check|backfills/plan)'), 'body'],
  [new RegExp(`^POST ${V1}/backfills$`), 'body'],
  [at('(assets|jobs|sensors|schedules|pools|limits|runs|runs/(count|groups|cancel|retry)|backfills)'), 'list'],
  [at('(events|overview|search|failures|freshness)'), 'list'],
  [at('views.*'), 'list'],
];

function at(route: string): RegExp {
  return new RegExp(`^\\w+ ${V1}/${route}$`);
}

/** @param route `METHOD /route/:param`; undefined for one that nobody has thought about */
export function aboutOf(route: string): About | undefined {
  return ABOUT.find(([pattern]) => pattern.test(route))?.[1];
}

/** The engine as the principal sees it: with the definitions of its jobs only. */
export function engineFor(engine: Engine, principal: Principal | undefined): Engine {
  const jobs = principal?.jobs;
  return jobs === undefined ? engine : { ...engine, deployment: narrow(engine.deployment, jobs) };
}

export function seesJob(principal: Principal | undefined, job: string): boolean {
  return principal?.jobs === undefined || principal.jobs.includes(job);
}

/** Of what a query matches, the runs that the principal sees. @throws RequestInvalidError for an unknown asset */
export function ofJobsOf(engine: Engine, principal: Principal | undefined, { asset, ...query }: RunQuery): RunQuery {
  const jobs = asset === undefined ? principal?.jobs : makersOf(engineFor(engine, principal), asset);
  if (jobs === undefined) return query;
  const [only] = jobs;
  // One job has an index.
  return jobs.length === 1 && (query.job === undefined || query.job === only)
    ? { ...query, job: only }
    : { ...query, jobs };
}

function makersOf({ deployment }: Engine, asset: string): readonly string[] {
  const jobs = [...deployment.jobs.values()]
    .filter((job) => job.assets.some(({ key }) => key === asset))
    .map(({ name }) => name);
  if (jobs.length === 0) throw new RequestInvalidError(`query.q: no job makes an asset “${asset.slice(0, 100)}”.`);
  return jobs;
}

/** After the body was read, before anything is done. @throws NotFoundError, ForbiddenError */
export async function stayInScope({ engine, runs }: ApiContext, request: FastifyRequest): Promise<void> {
  const { principal } = request;
  if (principal?.jobs === undefined) return;
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const about = aboutOf(`${method} ${request.routeOptions.url ?? ''}`);
  const { key = '', job, name = '', id = '' } = request.params as Record<string, string | undefined>;
  const { deployment } = engineFor(engine, principal);
  switch (about) {
    case 'anyone':
    case 'list':
      return;
    case 'asset':
      return void lookUp('asset', deployment.assets, key);
    case 'job':
      return void lookUp('job', deployment.jobs, job ?? name);
    case 'sensor':
      return void lookUp('sensor', deployment.sensors, name);
    case 'schedule':
      return void lookUp('schedule', deployment.schedules, name);
    case 'body':
      return void lookUp('job', deployment.jobs, String((request.body as { job?: unknown } | null)?.job));
    case 'run':
    case 'backfill': {
      const owner =
        about === 'run'
          ? await runs.jobOf(id)
          : ((await engine.redis.hget(engine.keys.backfill(id), 'job')) ?? undefined);
      if (owner !== undefined && seesJob(principal, owner)) return;
      throw new NotFoundError(`No ${about} has the id ${id.slice(0, 60)}.`);
    }
    case 'all jobs':
    case undefined:
      throw new ForbiddenError('This is about all jobs, and you are limited to some.', {
        details: { reason: `You are limited to ${principal.jobs.join(', ')}.` },
      });
  }
}

const narrowed = new WeakMap<Deployment, Map<string, Deployment>>();

function narrow(deployment: Deployment, names: readonly string[]): Deployment {
  const known = narrowed.get(deployment) ?? new Map<string, Deployment>();
  narrowed.set(deployment, known);
  const made = known.get(names.join('\n')) ?? only(deployment, new Set(names));
  known.set(names.join('\n'), made);
  return made;
}

function only(deployment: Deployment, names: ReadonlySet<string>): Deployment {
  const jobs = pick(deployment.jobs, (job) => names.has(job.name));
  const made = new Set([...jobs.values()].flatMap((job) => job.assets));
  return {
    ...deployment,
    jobs,
    assets: pick(deployment.assets, (asset) => made.has(asset)),
    sensors: pick(deployment.sensors, ({ job }) => names.has(job.name)),
    schedules: pick(deployment.schedules, ({ job }) => names.has(job.name)),
  };
}

function pick<T>(map: ReadonlyMap<string, T>, keep: (value: T) => boolean): Map<string, T> {
  return new Map([...map].filter(([, value]) => keep(value)));
}
