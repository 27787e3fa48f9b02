-- Kafka into the tables of persons.sql: an engine table reads a topic, a materialized view copies what it reads.
-- Placeholders, replaced by whoever applies this file: {kafka_brokers} (host:port,...), {kafka_topic_prefix} (put before
-- every topic, usually empty), {kafka_group} (name of this ClickHouse as a consumer; two that share one share the rows).
-- Rows are flushed every second instead of the default 7.5, so that a repair is seen by its own read-back soon.
CREATE TABLE IF NOT EXISTS kafka_person (
  id            UUID,
  created_at    DateTime64(3),
  team_id       Int64,
  properties    String,
  is_identified Int8,
  is_deleted    Int8,
  version       UInt64,
  last_seen_at  Nullable(DateTime64(3))
) ENGINE = Kafka
SETTINGS kafka_broker_list = '{kafka_brokers}', kafka_topic_list = '{kafka_topic_prefix}clickhouse_person',
  kafka_group_name = '{kafka_group}', kafka_format = 'JSONEachRow', kafka_flush_interval_ms = 1000,
  kafka_poll_timeout_ms = 200, input_format_skip_unknown_fields = 1, date_time_input_format = 'best_effort';

CREATE MATERIALIZED VIEW IF NOT EXISTS person_mv TO person AS
SELECT id, created_at, team_id, properties, is_identified, is_deleted, version, last_seen_at, _timestamp, _offset
FROM kafka_person;

CREATE TABLE IF NOT EXISTS kafka_person_distinct_id2 (
  team_id     Int64,
  distinct_id String,
  person_id   UUID,
  is_deleted  Int8,
  version     Int64
) ENGINE = Kafka
SETTINGS kafka_broker_list = '{kafka_brokers}', kafka_topic_list = '{kafka_topic_prefix}clickhouse_person_distinct_id',
  kafka_group_name = '{kafka_group}', kafka_format = 'JSONEachRow', kafka_flush_interval_ms = 1000,
  kafka_poll_timeout_ms = 200, input_format_skip_unknown_fields = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS person_distinct_id2_mv TO person_distinct_id2 AS
SELECT team_id, distinct_id, person_id, is_deleted, version, _timestamp, _offset, _partition
FROM kafka_person_distinct_id2;

-- A second consumer of the same topic: every moved or repaired id (version > 0) also becomes an override.
CREATE TABLE IF NOT EXISTS kafka_person_distinct_id_overrides (
  team_id     Int64,
  distinct_id String,
  person_id   UUID,
  is_deleted  Int8,
  version     Int64
) ENGINE = Kafka
SETTINGS kafka_broker_list = '{kafka_brokers}', kafka_topic_list = '{kafka_topic_prefix}clickhouse_person_distinct_id',
  kafka_group_name = '{kafka_group}-overrides', kafka_format = 'JSONEachRow', kafka_flush_interval_ms = 1000,
  kafka_poll_timeout_ms = 200, input_format_skip_unknown_fields = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS person_distinct_id_overrides_mv TO person_distinct_id_overrides AS
SELECT team_id, distinct_id, person_id, is_deleted, version, _timestamp, _offset, _partition
FROM kafka_person_distinct_id_overrides
WHERE version > 0;
