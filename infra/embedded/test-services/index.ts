/**
 * What tests use of the services of their run. Each call gives something of the test's own: a database from a
 * template, a prefix, a role. Everything outlives neither `drop()` nor the run.
 */

export { requireService, serviceIsAvailable } from './availability.ts';
export { type TestClickHouse, testClickHouse } from './clickhouse.ts';
export { LOCKED_HERE, type TestDatabase, testDatabase } from './database.ts';
export { type TestKafka, testKafka } from './kafka.ts';
export { type TestRedis, testRedis } from './redis.ts';
export { type TestS3, testS3 } from './s3.ts';
export { findSchemathesis } from './schemathesis.ts';
