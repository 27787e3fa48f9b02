/**
 * Owns the embedded services of one state directory: starting them together, remembering them, and stopping exactly
 * what was started here. What the environment already names by URL is somebody else's and is left alone.
 */

import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

import { clickhouse } from './clickhouse.ts';
import { ducklake } from './ducklake-extensions.ts';
import { messageOf, ServicesError } from './errors.ts';
import { kafka } from './kafka.ts';
import { kafkaIsAtHand } from './kafka-distribution.ts';
import { withLock } from './locks.ts';
import { postgres } from './postgres.ts';
import { isAlive, stopProcess, untilReaped } from './processes.ts';
import { redis } from './redis.ts';
import { objectDirectory, s3 } from './s3.ts';
import { type Environment, type Service, SERVICE_NAMES, type ServiceName, type ServiceRecord } from './service.ts';
import { DEFAULT_DIR, readState, type ServicesState, writeState } from './state.ts';

export interface StartOptions {
  /** Where state lies; default `.skein`. */
  readonly dir?: string;
  /** Default: all that this machine has, with a directory as object store. Named, `s3` is a real S3 with STS. */
  readonly only?: readonly ServiceName[];
  /** Left out of the default. */
  readonly without?: readonly ServiceName[];
  /** What the caller's environment says; a service whose URLs it gives is not started. Default `process.env`. */
  readonly given?: Readonly<Record<string, string | undefined>>;
  readonly progress?: (line: string) => void;
  /** Told of each service that cannot be had, instead of failing. */
  readonly unavailable?: (name: ServiceName, error: unknown) => void;
}

export interface StartedServices {
  /** The variables of all services in this directory, without overrides. */
  readonly env: Environment;
  /** Stops what this call started; what ran before goes on. */
  stop(): Promise<void>;
}

export interface ServiceStatus {
  readonly service: ServiceName;
  /** `ready` stands for a service that needs no process and is in place. */
  readonly status: 'running' | 'ready' | 'stopped' | 'died' | 'elsewhere';
  readonly pid: number | null;
  readonly port: number | null;
  readonly log: string | null;
  readonly variables: readonly string[];
}

const SERVICES: Readonly<Record<ServiceName, Service>> = { redis, postgres, clickhouse, kafka, s3, ducklake };
const STOP_GRACE_MS = 20_000;
const REAP_MS = 5_000;

/**
 * Starts what is not running and resolves when everything answers. Doing it again is harmless.
 * @throws ServicesError of the first service that did not start; the others are remembered and can be stopped
 */
export async function startServices(options: StartOptions = {}): Promise<StartedServices> {
  const dir = path.resolve(options.dir ?? DEFAULT_DIR);
  const given = options.given ?? process.env;
  const progress = options.progress ?? (() => {});
  mkdirSync(dir, { recursive: true, mode: 0o711 });

  return withLock(path.join(dir, 'services.lock'), async () => {
    let state = readState(dir);
    const remember = (name: ServiceName, record: ServiceRecord) => {
      state = { ...state, [name]: record };
      writeState(dir, state);
    };
    const wanted = chosen(options, progress).filter(
      (service) => !isElsewhere(service, given) && !isUp(state[service.name], service),
    );
    const outcomes = await Promise.allSettled(
      wanted.map(async (service) => {
        const begun = performance.now();
        const record = await startOne(service, dir, state[service.name], progress);
        remember(service.name, record);
        progress(`${service.name}: ready after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
      }),
    );
    const started = wanted.filter((_, i) => outcomes[i]?.status === 'fulfilled').map((service) => service.name);
    outcomes.forEach((outcome, i) => {
      if (outcome.status === 'fulfilled') return;
      const name = wanted[i]?.name;
      if (name !== undefined && options.unavailable !== undefined) options.unavailable(name, outcome.reason);
      // By default Kafka is taken along where it can be had; nothing that was asked for by name may be missing.
      else if (name === 'kafka' && options.only === undefined)
        progress(`kafka: left out: ${messageOf(outcome.reason)}`);
      else throw outcome.reason;
    });
    return { env: environmentOf(state), stop: async () => void (await stopServices({ dir, only: started })) };
  });
}

/** Stops what was started in this directory; gives the names of what really ran. */
export async function stopServices(
  options: { readonly dir?: string; readonly only?: readonly ServiceName[] } = {},
): Promise<ServiceName[]> {
  const dir = path.resolve(options.dir ?? DEFAULT_DIR);
  const state = readState(dir);
  const stopped: ServiceName[] = [];
  const next: Partial<Record<ServiceName, ServiceRecord>> = { ...state };
  await Promise.all(
    (options.only ?? SERVICE_NAMES).map(async (name) => {
      const record = state[name];
      if (!record?.up) return;
      if (record.process) {
        if (isAlive(record.process)) stopped.push(name);
        await stopProcess(record.process, SERVICES[name].stopSignal, STOP_GRACE_MS);
      }
      const { process: _process, ...rest } = record;
      next[name] = { ...rest, up: false };
    }),
  );
  if (Object.keys(state).length > 0) writeState(dir, next);
  return stopped;
}

/** Of a test run (services-of-a-run.ts), which may be under way. */
const OF_A_TEST_RUN = /^test-\d+$/;

/** Removes a directory of services that are stopped, and what lies outside it on their behalf; test runs keep theirs. */
export function removeServicesDirectory(dir: string): void {
  const place = path.resolve(dir);
  const folder = readState(place).postgres?.memory?.folder;
  const remove = (one: string) => rmSync(one, { recursive: true, force: true });
  const names = existsSync(place) ? readdirSync(place) : [];
  const own = names.filter((name) => !OF_A_TEST_RUN.test(name));
  if (own.length === names.length) remove(place);
  else own.forEach((name) => remove(path.join(place, name)));
  if (folder !== undefined) remove(folder);
}

export function servicesStatus(
  options: { readonly dir?: string; readonly given?: Readonly<Record<string, string | undefined>> } = {},
): ServiceStatus[] {
  const state = readState(path.resolve(options.dir ?? DEFAULT_DIR));
  return SERVICE_NAMES.map((name) => {
    const record = state[name];
    const service = SERVICES[name];
    return {
      service: name,
      status: statusOf(service, record, options.given ?? process.env),
      pid: record?.process?.pid ?? null,
      port: record?.up ? (record.port ?? null) : null,
      log: record?.log ?? null,
      variables: record ? Object.keys(record.env) : service.variables,
    };
  });
}

/**
 * The variables that lead to the services that are up in `dir`. What `given` names itself wins, and services that are
 * elsewhere by it are among them.
 */
export function readServicesEnv(
  dir: string = DEFAULT_DIR,
  given: Readonly<Record<string, string | undefined>> = {},
): Environment {
  const env: Record<string, string> = { ...environmentOf(readState(path.resolve(dir))) };
  for (const name of Object.values(SERVICES).flatMap((service) => service.variables)) {
    const override = given[name];
    if (override) env[name] = override;
  }
  return env;
}

/** The names in a list such as `redis,postgres`. @throws ServicesError `SERVICE_UNKNOWN` */
export function parseServiceNames(text: string): ServiceName[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
    .map((name) => {
      const known = SERVICE_NAMES.find((service) => service === name);
      if (known !== undefined) return known;
      throw new ServicesError(
        'SERVICE_UNKNOWN',
        `There is no service “${name.slice(0, 40)}”. Known: ${SERVICE_NAMES.join(', ')}.`,
      );
    });
}

function chosen({ only, without = [] }: StartOptions, progress: (line: string) => void): Service[] {
  if (only !== undefined) return [...new Set(only)].map((name) => SERVICES[name]);
  const withKafka = !without.includes('kafka') && kafkaIsAtHand();
  if (!withKafka && !without.includes('kafka'))
    progress('kafka: left out, because java is not on the PATH (“--only kafka” installs it)');
  const all = [redis, postgres, clickhouse, ducklake, objectDirectory, ...(withKafka ? [kafka] : [])];
  return all.filter((service) => !without.includes(service.name));
}

function isElsewhere(service: Service, given: Readonly<Record<string, string | undefined>>): boolean {
  return service.variables.every((name) => Boolean(given[name]));
}

function isUp(record: ServiceRecord | undefined, service: Service): boolean {
  // A directory does not stand in for a real S3 when that is asked for.
  if (service === s3 && record?.process === undefined) return false;
  return isAnswering(record);
}

function isAnswering(record: ServiceRecord | undefined): record is ServiceRecord {
  return record !== undefined && record.up && (record.process === undefined || isAlive(record.process));
}

function statusOf(
  service: Service,
  record: ServiceRecord | undefined,
  given: Readonly<Record<string, string | undefined>>,
): ServiceStatus['status'] {
  if (record?.up) {
    if (record.process === undefined) return 'ready';
    return isAlive(record.process) ? 'running' : 'died';
  }
  return isElsewhere(service, given) ? 'elsewhere' : 'stopped';
}

async function startOne(
  service: Service,
  dir: string,
  previous: ServiceRecord | undefined,
  progress: (line: string) => void,
): Promise<ServiceRecord> {
  if (previous?.process) {
    if (isAlive(previous.process)) await stopProcess(previous.process, service.stopSignal, STOP_GRACE_MS);
    await untilReaped(previous.process, REAP_MS);
  }
  const own = path.join(dir, service.name);
  const log = path.join(dir, `${service.name}.log`);
  mkdirSync(own, { recursive: true });
  const start = (remembered: ServiceRecord | undefined) =>
    service.start({ dir: own, log, previous: remembered, progress: (line) => progress(`${service.name}: ${line}`) });
  try {
    return await start(previous);
  } catch (error) {
    if (!PORT_TAKEN.test(messageOf(error))) throw error;
    // Between finding a free port and using it, somebody else was quicker: once more, with another.
    const { port: _port, ...rest } = previous ?? { env: {}, up: false };
    return start(previous === undefined ? undefined : rest);
  }
}

/** In the words of Redis, Java, Python and Node; and of PostgreSQL. */
const PORT_TAKEN = /address already in use|EADDRINUSE|could not create any TCP\/IP sockets/i;

function environmentOf(state: ServicesState): Environment {
  return Object.assign(
    {},
    ...SERVICE_NAMES.map((name) => (isAnswering(state[name]) ? state[name].env : {})),
  ) as Environment;
}
