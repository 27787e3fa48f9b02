-- Raw usage events as the collector stored them, and the events that the consumer of the output topic makes of them.
-- The source system calls the latter `events` in a database of its own; here another table has that name.

CREATE TABLE IF NOT EXISTS raw_events (
  id String,
  tenant_id String,
  environment_id String,
  external_customer_id String,
  event_name String DEFAULT '',
  source Nullable(String),
  payload String CODEC(ZSTD(3)),
  field1 Nullable(String),
  field2 Nullable(String),
  field3 Nullable(String),
  field4 Nullable(String),
  field5 Nullable(String),
  field6 Nullable(String),
  field7 Nullable(String),
  field8 Nullable(String),
  field9 Nullable(String),
  field10 Nullable(String),
  timestamp DateTime64(3, 'UTC'),
  ingested_at DateTime64(3, 'UTC') DEFAULT now64(3),
  version UInt64 DEFAULT toUnixTimestamp64Milli(now64()),
  sign Int8 DEFAULT 1,
  INDEX bf_event_name event_name TYPE bloom_filter(0.01) GRANULARITY 64,
  INDEX mm_ts timestamp TYPE minmax GRANULARITY 1,
  INDEX bf_external_customer_id external_customer_id TYPE bloom_filter(0.01) GRANULARITY 64
) ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMMDD(timestamp)
PRIMARY KEY (tenant_id, environment_id, external_customer_id, timestamp)
ORDER BY (tenant_id, environment_id, external_customer_id, timestamp, event_name, id)
SETTINGS index_granularity = 16384, parts_to_delay_insert = 200, parts_to_throw_insert = 400,
  max_bytes_to_merge_at_max_space_in_pool = 5368709120;

CREATE TABLE IF NOT EXISTS usage_events (
  id String,
  tenant_id String,
  external_customer_id String,
  environment_id String,
  event_name String,
  customer_id Nullable(String),
  source Nullable(String),
  timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
  ingested_at DateTime64(3, 'UTC') DEFAULT now64(3),
  properties String,
  CONSTRAINT has_event_name CHECK event_name != '',
  CONSTRAINT has_tenant_id CHECK tenant_id != '',
  CONSTRAINT has_id CHECK id != '',
  CONSTRAINT has_environment_id CHECK environment_id != '',
  INDEX external_customer_id_idx external_customer_id TYPE bloom_filter GRANULARITY 64,
  INDEX event_name_idx event_name TYPE set(0) GRANULARITY 64,
  INDEX source_idx source TYPE set(0) GRANULARITY 64
) ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYYYYMMDD(timestamp)
PRIMARY KEY (tenant_id, environment_id)
ORDER BY (tenant_id, environment_id, timestamp, id);

-- Raw events that became no published event, with the reason: where people look when a count is too low.
CREATE TABLE IF NOT EXISTS raw_events_dead_letters (
  kind LowCardinality(String),
  reason String,
  raw_event_id String,
  tenant_id String,
  environment_id String,
  external_customer_id String,
  event_name String,
  timestamp DateTime64(3, 'UTC'),
  payload Nullable(String) CODEC(ZSTD(3)),
  received_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = ReplacingMergeTree(received_at)
PARTITION BY toYYYYMM(timestamp)
ORDER BY (tenant_id, environment_id, kind, reason, timestamp, external_customer_id, raw_event_id);
