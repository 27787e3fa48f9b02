-- Persons and their distinct ids in ClickHouse, as the source system keeps them: the row with the greatest version is
-- the state, and a row with is_deleted = 1 is a tombstone. The tables are filled from Kafka (persons-kafka.sql), or,
-- where there is no Kafka, by the embedded publisher.
CREATE TABLE IF NOT EXISTS person (
  id            UUID,
  created_at    DateTime64(3),
  team_id       Int64,
  properties    String CODEC(ZSTD(3)),
  is_identified Int8,
  is_deleted    Int8,
  version       UInt64,
  last_seen_at  Nullable(DateTime64(3)),
  _timestamp    DateTime,
  _offset       UInt64,
  INDEX kafka_timestamp_minmax_person _timestamp TYPE minmax GRANULARITY 3
) ENGINE = ReplacingMergeTree(version)
ORDER BY (team_id, id);

-- The person is not in the key: an id that moves to another person replaces its old row.
CREATE TABLE IF NOT EXISTS person_distinct_id2 (
  team_id     Int64,
  distinct_id String,
  person_id   UUID,
  is_deleted  Int8,
  version     Int64,
  _timestamp  DateTime,
  _offset     UInt64,
  _partition  UInt64,
  INDEX kafka_timestamp_minmax_person_distinct_id2 _timestamp TYPE minmax GRANULARITY 3
) ENGINE = ReplacingMergeTree(version)
ORDER BY (team_id, distinct_id)
SETTINGS index_granularity = 512;

-- Ids that were moved or repaired (version > 0) until they are squashed into the events.
CREATE TABLE IF NOT EXISTS person_distinct_id_overrides (
  team_id     Int64,
  distinct_id String,
  person_id   UUID,
  is_deleted  Int8,
  version     Int64,
  _timestamp  DateTime,
  _offset     UInt64,
  _partition  UInt64,
  INDEX kafka_timestamp_minmax_person_distinct_id_overrides _timestamp TYPE minmax GRANULARITY 3
) ENGINE = ReplacingMergeTree(version)
ORDER BY (team_id, distinct_id)
SETTINGS index_granularity = 512;
