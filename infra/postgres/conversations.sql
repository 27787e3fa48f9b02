-- The source of conversation labels, in a schema of its own.

CREATE SCHEMA IF NOT EXISTS app;

CREATE TABLE IF NOT EXISTS app.profiles (
  customer_id TEXT NOT NULL,
  profile_id TEXT NOT NULL,
  clickhouse_database TEXT NOT NULL,
  enabled BOOLEAN NOT NULL DEFAULT true,
  PRIMARY KEY (customer_id, profile_id)
);

CREATE TABLE IF NOT EXISTS app.agents (
  customer_id TEXT NOT NULL,
  agent_user_id TEXT NOT NULL,
  is_dev_user BOOLEAN NOT NULL DEFAULT false,
  PRIMARY KEY (customer_id, agent_user_id)
);

CREATE TABLE IF NOT EXISTS app.usecases (
  customer_id TEXT NOT NULL,
  profile_id TEXT NOT NULL,
  usecase_id TEXT NOT NULL,
  channel TEXT NOT NULL CHECK (channel IN ('voice', 'chat')),
  PRIMARY KEY (customer_id, profile_id, usecase_id)
);

CREATE TABLE IF NOT EXISTS app.chats (
  customer_id TEXT NOT NULL,
  profile_id TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  agent_user_id TEXT,
  usecase_id TEXT,
  source SMALLINT NOT NULL DEFAULT 0, -- 0 normal, 7 bot, 8 ingestion
  created_at TIMESTAMPTZ NOT NULL,
  ended_at TIMESTAMPTZ, -- NULL while open
  updated_at TIMESTAMPTZ NOT NULL,
  deleted_at TIMESTAMPTZ,
  PRIMARY KEY (customer_id, profile_id, conversation_id)
);
CREATE INDEX IF NOT EXISTS chats_customer_ended ON app.chats (customer_id, ended_at);
CREATE INDEX IF NOT EXISTS chats_customer_created ON app.chats (customer_id, created_at);

CREATE TABLE IF NOT EXISTS app.agent_online (
  customer_id TEXT NOT NULL,
  agent_user_id TEXT NOT NULL,
  online_from TIMESTAMPTZ NOT NULL,
  online_to TIMESTAMPTZ -- NULL while still online
);
CREATE INDEX IF NOT EXISTS agent_online_agent_from ON app.agent_online (customer_id, agent_user_id, online_from);
