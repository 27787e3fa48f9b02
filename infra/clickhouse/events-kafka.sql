-- Kafka's topic into the table of events.sql; see persons-kafka.sql for the settings.

CREATE TABLE IF NOT EXISTS kafka_events_json (
  uuid UUID,
  event String,
  properties String,
  timestamp DateTime64(6, 'UTC'),
  team_id Int64,
  distinct_id String,
  elements_chain String,
  created_at DateTime64(6, 'UTC'),
  person_id UUID,
  person_created_at DateTime64(3),
  person_properties String,
  group0_properties String,
  group1_properties String,
  group2_properties String,
  group3_properties String,
  group4_properties String,
  group0_created_at DateTime64(3),
  group1_created_at DateTime64(3),
  group2_created_at DateTime64(3),
  group3_created_at DateTime64(3),
  group4_created_at DateTime64(3),
  person_mode Enum8('full' = 0, 'propertyless' = 1, 'force_upgrade' = 2),
  historical_migration Bool
) ENGINE = Kafka
SETTINGS kafka_broker_list = '{brokers}', kafka_topic_list = '{topic_prefix}clickhouse_events_json',
  kafka_group_name = '{group_prefix}group1-events', kafka_format = 'JSONEachRow', kafka_handle_error_mode = 'stream',
  kafka_flush_interval_ms = 100, kafka_poll_timeout_ms = 50, kafka_consumer_reschedule_ms = 20,
  input_format_skip_unknown_fields = 1, date_time_input_format = 'best_effort';

CREATE MATERIALIZED VIEW IF NOT EXISTS events_json_mv TO events AS
SELECT
  uuid, event, properties, timestamp, team_id, distinct_id, elements_chain, created_at, person_id, person_created_at, person_properties,
  group0_properties, group1_properties, group2_properties, group3_properties, group4_properties,
  group0_created_at, group1_created_at, group2_created_at, group3_created_at, group4_created_at,
  person_mode, historical_migration, _timestamp, _offset
FROM kafka_events_json
WHERE length(_error) = 0;
