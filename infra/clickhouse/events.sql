-- Events. Production reads a Distributed table over sharded_events; one plain table answers the same statements.

CREATE TABLE IF NOT EXISTS events (
  uuid UUID,
  event String,
  properties String CODEC(ZSTD(3)),
  timestamp DateTime64(6, 'UTC'),
  team_id Int64,
  distinct_id String,
  elements_chain String,
  created_at DateTime64(6, 'UTC'),
  person_id UUID,
  person_created_at DateTime64(3),
  person_properties String CODEC(ZSTD(3)),
  group0_properties String CODEC(ZSTD(3)),
  group1_properties String CODEC(ZSTD(3)),
  group2_properties String CODEC(ZSTD(3)),
  group3_properties String CODEC(ZSTD(3)),
  group4_properties String CODEC(ZSTD(3)),
  group0_created_at DateTime64(3),
  group1_created_at DateTime64(3),
  group2_created_at DateTime64(3),
  group3_created_at DateTime64(3),
  group4_created_at DateTime64(3),
  person_mode Enum8('full' = 0, 'propertyless' = 1, 'force_upgrade' = 2),
  historical_migration Bool DEFAULT false,
  _timestamp DateTime DEFAULT now(),
  _offset UInt64,
  inserted_at Nullable(DateTime64(6, 'UTC')) DEFAULT now64(6),
  INDEX kafka_timestamp_minmax_events _timestamp TYPE minmax GRANULARITY 3
) ENGINE = ReplacingMergeTree(_timestamp)
PARTITION BY toYYYYMM(timestamp)
ORDER BY (team_id, toDate(timestamp), event, cityHash64(distinct_id), cityHash64(uuid))
SAMPLE BY cityHash64(distinct_id);
