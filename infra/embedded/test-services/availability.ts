/** Tells tests which services this run has, and why not. */

import type { ServiceName } from '../src/service.ts';

const VARIABLES: Readonly<Record<ServiceName, string>> = {
  redis: 'SKEIN_REDIS_URL',
  postgres: 'SKEIN_APP_DB_URL',
  clickhouse: 'SKEIN_CLICKHOUSE_URL',
  kafka: 'SKEIN_KAFKA_BROKERS',
  s3: 'SKEIN_TEST_S3_ENDPOINT',
  ducklake: 'SKEIN_DUCKDB_EXTENSIONS',
};

/** For `(serviceIsAvailable('kafka') ? describe : describe.skip)(…)`. */
export function serviceIsAvailable(name: ServiceName): boolean {
  return Boolean(process.env[VARIABLES[name]]);
}

/** The value of the service's first variable. @throws Error that says why this run does not have it */
export function requireService(name: ServiceName): string {
  const value = process.env[VARIABLES[name]];
  if (value) return value;
  const reasons = JSON.parse(process.env.SKEIN_TEST_UNAVAILABLE ?? '{}') as Partial<Record<ServiceName, string>>;
  throw new Error(`This test needs ${name}: ${reasons[name] ?? 'SKEIN_TEST_SERVICES leaves it out'}`);
}

/** A name that no other test has: letters, digits and underscores. */
export function uniqueName(prefix: string): string {
  const random = Math.random().toString(36).slice(2, 8);
  return `${prefix}_${Date.now().toString(36)}${process.pid.toString(36)}${random}`;
}
