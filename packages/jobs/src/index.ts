/** The job families and the resources that they work with. */

export * from './resources/clickhouse.ts';
export * from './resources/kafka.ts';
export * from './resources/postgres.ts';
