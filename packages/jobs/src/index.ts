/** The job families and the resources that they work with. */

export * from './resources/clickhouse.ts';
export * from './resources/kafka-publisher.ts';
export * from './resources/kafka.ts';
export * from './resources/postgres.ts';
export * from './duckling/index.ts';
export * from './resources/duckling-catalog.ts';
export * from './resources/ducklake-ducklings.ts';
export * from './team-days.ts';
export * from './orphan-sync/index.ts';
export * from './conversation-labels/index.ts';
export * from './raw-events/index.ts';
export * from './reconciliation/index.ts';
export * from './resources/probes/clickhouse-probe.ts';
export * from './resources/probes/kafka-probe.ts';
export * from './resources/probes/load.ts';
export * from './resources/probes/postgres-probe.ts';
