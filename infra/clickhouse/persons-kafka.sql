-- Kafka's topics into the tables of persons.sql. {brokers}, {topic_prefix} and {group_prefix} are filled in by
-- “schemas apply”; in production the same statements serve, with the settings left at the server's defaults.
-- A message that cannot be parsed would stop its partition for ever; with 'stream' it goes to kafka_errors instead.
-- The flush and poll settings bring a message to a SELECT in 0.15 s; the defaults take up to 8 s.

CREATE TABLE IF NOT EXISTS kafka_person (
  id UUID,
  created_at DateTime64(3),
  team_id Int64,
  properties String,
  is_identified Int8,
  is_deleted Int8,
  version UInt64,
  last_seen_at Nullable(DateTime64(3))
) ENGINE = Kafka
SETTINGS kafka_broker_list = '{brokers}', kafka_topic_list = '{topic_prefix}clickhouse_person',
  kafka_group_name = '{group_prefix}group1', kafka_format = 'JSONEachRow', kafka_handle_error_mode = 'stream',
  kafka_flush_interval_ms = 100, kafka_poll_timeout_ms = 50, kafka_consumer_reschedule_ms = 20,
  input_format_skip_unknown_fields = 1, date_time_input_format = 'best_effort';

CREATE MATERIALIZED VIEW IF NOT EXISTS person_mv TO person AS
SELECT id, created_at, team_id, properties, is_identified, is_deleted, version, last_seen_at, _timestamp, _offset
FROM kafka_person
WHERE length(_error) = 0;

CREATE TABLE IF NOT EXISTS kafka_person_distinct_id2 (
  team_id Int64,
  distinct_id String,
  person_id UUID,
  is_deleted Int8,
  version Int64
) ENGINE = Kafka
SETTINGS kafka_broker_list = '{brokers}', kafka_topic_list = '{topic_prefix}clickhouse_person_distinct_id',
  kafka_group_name = '{group_prefix}group1-distinct-id', kafka_format = 'JSONEachRow', kafka_handle_error_mode = 'stream',
  kafka_flush_interval_ms = 100, kafka_poll_timeout_ms = 50, kafka_consumer_reschedule_ms = 20,
  input_format_skip_unknown_fields = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS person_distinct_id2_mv TO person_distinct_id2 AS
SELECT team_id, distinct_id, person_id, is_deleted, version, _timestamp, _offset, _partition
FROM kafka_person_distinct_id2
WHERE length(_error) = 0;

-- The same topic with a group of its own: first assignments (version 0) never make an override.
CREATE TABLE IF NOT EXISTS kafka_person_distinct_id_overrides (
  team_id Int64,
  distinct_id String,
  person_id UUID,
  is_deleted Int8,
  version Int64
) ENGINE = Kafka
SETTINGS kafka_broker_list = '{brokers}', kafka_topic_list = '{topic_prefix}clickhouse_person_distinct_id',
  kafka_group_name = '{group_prefix}clickhouse-person-distinct-id-overrides', kafka_format = 'JSONEachRow',
  kafka_handle_error_mode = 'stream', kafka_flush_interval_ms = 100, kafka_poll_timeout_ms = 50,
  kafka_consumer_reschedule_ms = 20, input_format_skip_unknown_fields = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS person_distinct_id_overrides_mv TO person_distinct_id_overrides AS
SELECT team_id, distinct_id, person_id, is_deleted, version, _timestamp, _offset, _partition
FROM kafka_person_distinct_id_overrides
WHERE length(_error) = 0 AND version > 0;

CREATE TABLE IF NOT EXISTS kafka_errors (
  topic String,
  partition UInt64,
  offset UInt64,
  raw String,
  error String,
  at DateTime DEFAULT now()
) ENGINE = MergeTree
ORDER BY (topic, partition, offset);

CREATE MATERIALIZED VIEW IF NOT EXISTS kafka_person_errors_mv TO kafka_errors AS
SELECT _topic AS topic, _partition AS partition, _offset AS offset, _raw_message AS raw, _error AS error
FROM kafka_person
WHERE length(_error) > 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS kafka_person_distinct_id2_errors_mv TO kafka_errors AS
SELECT _topic AS topic, _partition AS partition, _offset AS offset, _raw_message AS raw, _error AS error
FROM kafka_person_distinct_id2
WHERE length(_error) > 0;
