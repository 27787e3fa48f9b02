/**
 * A deployment: which definitions exist, how their resources are opened, and which commands and routes the job
 * families add. `skein.config.ts` exports one; loading it opens no connection.
 */

import type { Command } from 'commander';
import type { FastifyInstance } from 'fastify';

import type { Asset } from './asset.ts';
import type { SkeinClient } from './client.ts';
import { DefinitionInvalidError, NotFoundError } from './errors.ts';
import type { Job } from './job.ts';
import type { Json } from './json.ts';
import type { Pool, PoolProbe } from './pool.ts';
import type { Resource, ResourceBinding } from './resource.ts';
import type { Schedule } from './schedule.ts';
import type { Sensor } from './sensor.ts';
import { type TagLimit, tagLimitProblems } from './tag-limit.ts';

export interface Definitions {
  readonly jobs: readonly Job[];
  readonly sensors?: readonly Sensor[];
  readonly schedules?: readonly Schedule[];
  /** Limits of pools that differ from the default of 10, or a `definePool` where a probe says how many there may be. */
  readonly pools?: Readonly<Record<string, number | Pool>>;
  /** Runs at once with a tag; a run needs a slot of every limit that its tags fall under. */
  readonly tagLimits?: readonly TagLimit[];
}

/** What a job family's command is given. */
export interface CommandContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Opened at first use, closed when the command ends. */
  open<T>(token: Resource<T>): Promise<T>;
  /** Speaks to the ledger. */
  client(): Promise<SkeinClient>;
  /** Results go to stdout: with `--json` the value as one JSON document, otherwise `lines`. */
  print(value: Json, lines: () => readonly string[]): void;
  /** For people, on stderr. */
  note(line: string): void;
  /** Ends the command with this code after its work is done. */
  exitWith(code: 0 | 1): void;
}

export interface CommandFamily {
  /** Adds commands to `program`; actions get their context from `run`, which closes what was opened and maps errors. */
  register(program: Command, run: (action: (context: CommandContext) => Promise<void>) => Promise<void>): void;
}

export interface RouteContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  open<T>(token: Resource<T>): Promise<T>;
  client(): Promise<SkeinClient>;
}

export interface RouteFamily {
  register(app: FastifyInstance, context: RouteContext): void;
}

export interface DeploymentSpec {
  readonly definitions: Definitions;
  readonly resources?: readonly ResourceBinding[];
  readonly commands?: readonly CommandFamily[];
  readonly routes?: readonly RouteFamily[];
  /** Fills in variables that are not set, such as those of embedded services that run; what is set wins. */
  readonly environment?: (env: Environment) => Environment;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Deployment {
  readonly jobs: ReadonlyMap<string, Job>;
  readonly assets: ReadonlyMap<string, Asset>;
  readonly sensors: ReadonlyMap<string, Sensor>;
  readonly schedules: ReadonlyMap<string, Schedule>;
  readonly pools: Readonly<Record<string, number>>;
  readonly poolProbes: ReadonlyMap<string, PoolProbe>;
  readonly tagLimits: readonly TagLimit[];
  readonly resources: ReadonlyMap<string, ResourceBinding>;
  readonly commands: readonly CommandFamily[];
  readonly routes: readonly RouteFamily[];
  readonly environment: (env: Environment) => Environment;
}

/** @throws DefinitionInvalidError that names every contradiction at once */
export function defineDeployment(spec: DeploymentSpec): Deployment {
  const problems: string[] = [];
  const index = <T>(what: string, things: readonly T[], nameOf: (thing: T) => string): Map<string, T> => {
    const map = new Map<string, T>();
    for (const thing of things) {
      const name = nameOf(thing);
      if (map.has(name) && map.get(name) !== thing) problems.push(`two ${what}s are named “${name}”`);
      map.set(name, thing);
    }
    return map;
  };
  const jobs = index('job', spec.definitions.jobs, (job) => job.name);
  const assets = index(
    'asset',
    spec.definitions.jobs.flatMap((job) => job.assets),
    (asset) => asset.key,
  );
  const sensors = index('sensor', spec.definitions.sensors ?? [], (sensor) => sensor.name);
  const schedules = index('schedule', spec.definitions.schedules ?? [], (schedule) => schedule.name);
  const resources = index('resource', spec.resources ?? [], (binding) => binding.name);

  const pools = Object.entries(spec.definitions.pools ?? {}).map(
    ([name, pool]) => [name, typeof pool === 'number' ? { limit: pool, probe: undefined } : pool] as const,
  );
  const poolProbes = new Map(
    pools.flatMap(([name, { probe }]) => (probe === undefined ? [] : [[name, probe] as const])),
  );
  const needs = [
    ...[...assets.values()].map((asset) => ({ who: `asset “${asset.key}”`, resources: asset.resources })),
    ...[...sensors.values()].map((sensor) => ({ who: `sensor “${sensor.name}”`, resources: sensor.resources })),
    ...[...poolProbes].map(([name, { resources: of }]) => ({ who: `the probe of pool “${name}”`, resources: of })),
  ];
  for (const need of needs) {
    for (const token of Object.values(need.resources)) {
      if (!resources.has(token.name))
        problems.push(`${need.who} needs the resource “${token.name}”, which is not provided`);
    }
  }
  for (const { job, name } of [...sensors.values(), ...schedules.values()]) {
    if (jobs.get(job.name) !== job)
      problems.push(`“${name}” launches the job “${job.name}”, which is not in the deployment`);
  }
  problems.push(...tagLimitProblems(spec.definitions.tagLimits ?? []));
  if (problems.length > 0) {
    throw new DefinitionInvalidError(`The deployment is not complete: ${problems.join('; ')}.`, {
      details: { problems },
    });
  }
  return {
    jobs,
    assets,
    sensors,
    schedules,
    pools: Object.fromEntries(pools.map(([name, pool]) => [name, pool.limit])),
    poolProbes,
    tagLimits: spec.definitions.tagLimits ?? [],
    resources,
    commands: spec.commands ?? [],
    routes: spec.routes ?? [],
    environment: spec.environment ?? ((env) => env),
  };
}

/** Looks a definition up by name. @throws NotFoundError that lists names alike */
export function lookUp<T>(what: string, map: ReadonlyMap<string, T>, name: string): T {
  const found = map.get(name);
  if (found) return found;
  const known = [...map.keys()].sort();
  const near = known.filter((k) => k.includes(name) || name.includes(k)).slice(0, 5);
  throw new NotFoundError(
    `No ${what} is named “${name.slice(0, 100)}”. Known: ${(near.length > 0 ? near : known.slice(0, 20)).join(', ') || 'none'}.`,
  );
}
