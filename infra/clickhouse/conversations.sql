-- Labels of conversations, in the layout of the source system: agent and end time are part of the key, so a row whose
-- agent or end changed is not replaced but doubled. {cluster} is `default` for one node.

CREATE TABLE IF NOT EXISTS conversation_with_labels (
  customer_id LowCardinality(String),
  profile_id LowCardinality(String),
  usecase_id LowCardinality(String),
  conversation_id String,
  agent_user_id String, -- '' when unassigned
  conversation_start_time DateTime64(3, 'UTC'),
  conversation_end_time DateTime64(3, 'UTC'), -- 1970-01-01 while open
  has_agent_assistance Bool,
  conversation_source UInt8,
  update_time DateTime64(6, 'UTC') -- one value for each run
) ENGINE = ReplacingMergeTree(update_time)
PARTITION BY toYYYYMM(conversation_end_time)
PRIMARY KEY (toStartOfHour(conversation_end_time), agent_user_id)
ORDER BY (toStartOfHour(conversation_end_time), agent_user_id, conversation_id, customer_id, profile_id);

-- Sharded by what never changes: two versions of a conversation must meet on one shard.
CREATE TABLE IF NOT EXISTS conversation_with_labels_d AS conversation_with_labels
ENGINE = Distributed({cluster}, currentDatabase(), conversation_with_labels, cityHash64(conversation_id));
