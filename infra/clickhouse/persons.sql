-- Persons as ClickHouse holds them. Rows come from Kafka (persons-kafka.sql); `_timestamp`, `_offset` and `_partition`
-- are Kafka's own.

CREATE TABLE IF NOT EXISTS person (
  id UUID,
  created_at DateTime64(3),
  team_id Int64,
  properties String CODEC(ZSTD(3)),
  is_identified Int8,
  is_deleted Int8,
  version UInt64,
  last_seen_at Nullable(DateTime64(3)),
  _timestamp DateTime,
  _offset UInt64,
  INDEX kafka_timestamp_minmax_person _timestamp TYPE minmax GRANULARITY 3
) ENGINE = ReplacingMergeTree(version)
ORDER BY (team_id, id);

-- The person is not part of the key: a distinct id that moves replaces its old row.
CREATE TABLE IF NOT EXISTS person_distinct_id2 (
  team_id Int64,
  distinct_id String,
  person_id UUID,
  is_deleted Int8,
  version Int64,
  _timestamp DateTime,
  _offset UInt64,
  _partition UInt64,
  INDEX kafka_timestamp_minmax_person_distinct_id2 _timestamp TYPE minmax GRANULARITY 3
) ENGINE = ReplacingMergeTree(version)
ORDER BY (team_id, distinct_id)
SETTINGS index_granularity = 512;

-- Every mapping with a version above 0, until it is squashed into the events.
CREATE TABLE IF NOT EXISTS person_distinct_id_overrides (
  team_id Int64,
  distinct_id String,
  person_id UUID,
  is_deleted Int8,
  version Int64,
  _timestamp DateTime,
  _offset UInt64,
  _partition UInt64,
  INDEX kafka_timestamp_minmax_person_distinct_id_overrides _timestamp TYPE minmax GRANULARITY 3
) ENGINE = ReplacingMergeTree(version)
ORDER BY (team_id, distinct_id)
SETTINGS index_granularity = 512;

CREATE TABLE IF NOT EXISTS custom_metrics_counter_events (
  name String,
  timestamp DateTime64(3, 'UTC') DEFAULT now64(3),
  labels Map(String, String),
  increment Float64
) ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (name, timestamp);

CREATE VIEW IF NOT EXISTS custom_metrics_counters AS
SELECT name, labels, sum(increment) AS value
FROM custom_metrics_counter_events
GROUP BY name, labels;
