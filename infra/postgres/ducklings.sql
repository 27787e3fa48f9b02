-- The catalog of ducklings: one row a team, in Skein's app database (SKEIN_APP_DB_URL).
-- Passwords are never stored: db_password names where the password is (env:NAME or file:PATH).
CREATE TABLE IF NOT EXISTS ducklake_catalog (
  team_id                   bigint PRIMARY KEY CHECK (team_id > 0),
  bucket                    text NOT NULL CHECK (bucket <> ''),
  bucket_region             text NOT NULL DEFAULT 'us-east-1',
  db_host                   text NOT NULL CHECK (db_host <> ''),
  db_port                   integer NOT NULL DEFAULT 5432 CHECK (db_port BETWEEN 1 AND 65535),
  db_name                   text NOT NULL DEFAULT 'ducklake' CHECK (db_name <> ''),
  db_username               text NOT NULL CHECK (db_username <> ''),
  db_password               text NOT NULL CHECK (db_password ~ '^(env|file):.+'),
  cross_account_role_arn    text,
  cross_account_external_id text,
  enabled                   boolean NOT NULL DEFAULT true,
  created_at                timestamptz NOT NULL DEFAULT now(),
  updated_at                timestamptz NOT NULL DEFAULT now()
);
