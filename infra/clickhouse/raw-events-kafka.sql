-- The output topic of reprocessing into the final events, as the source system's consumer does it.

CREATE TABLE IF NOT EXISTS kafka_usage_events (
  id String,
  tenant_id String,
  external_customer_id String,
  environment_id String,
  event_name String,
  customer_id String,
  source String,
  timestamp DateTime64(3, 'UTC'),
  properties String
) ENGINE = Kafka
SETTINGS kafka_broker_list = '{brokers}', kafka_topic_list = '{topic_prefix}prod_events_v4',
  kafka_group_name = '{group_prefix}usage-events', kafka_format = 'JSONEachRow', kafka_handle_error_mode = 'stream',
  kafka_flush_interval_ms = 100, kafka_poll_timeout_ms = 50, kafka_consumer_reschedule_ms = 20,
  input_format_skip_unknown_fields = 1, input_format_json_read_objects_as_strings = 1,
  date_time_input_format = 'best_effort';

CREATE MATERIALIZED VIEW IF NOT EXISTS usage_events_mv TO usage_events AS
SELECT id, tenant_id, external_customer_id, environment_id, event_name, customer_id, source, timestamp, properties
FROM kafka_usage_events
WHERE length(_error) = 0;

CREATE TABLE IF NOT EXISTS kafka_raw_events_dead_letters (
  kind String,
  reason String,
  raw_event_id String,
  tenant_id String,
  environment_id String,
  external_customer_id String,
  event_name String,
  timestamp DateTime64(3, 'UTC'),
  payload Nullable(String)
) ENGINE = Kafka
SETTINGS kafka_broker_list = '{brokers}', kafka_topic_list = '{topic_prefix}raw_events_dead_letters',
  kafka_group_name = '{group_prefix}raw-events-dead-letters', kafka_format = 'JSONEachRow',
  kafka_handle_error_mode = 'stream', kafka_flush_interval_ms = 100, kafka_poll_timeout_ms = 50,
  kafka_consumer_reschedule_ms = 20, input_format_skip_unknown_fields = 1, date_time_input_format = 'best_effort';

CREATE MATERIALIZED VIEW IF NOT EXISTS raw_events_dead_letters_mv TO raw_events_dead_letters AS
SELECT kind, reason, raw_event_id, tenant_id, environment_id, external_customer_id, event_name, timestamp, payload
FROM kafka_raw_events_dead_letters
WHERE length(_error) = 0;
