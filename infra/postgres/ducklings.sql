-- Ducklings: one DuckLake for each team. Passwords and external ids of other accounts are references, never values:
-- `env:NAME` or `file:PATH`.

CREATE TABLE IF NOT EXISTS ducklake_catalog (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  team_id BIGINT NOT NULL UNIQUE,
  bucket VARCHAR(255) NOT NULL,
  bucket_region VARCHAR(50) NOT NULL DEFAULT 'us-east-1',
  db_host VARCHAR(255) NOT NULL,
  db_port INTEGER NOT NULL DEFAULT 5432 CHECK (db_port BETWEEN 1 AND 65535),
  db_name VARCHAR(255) NOT NULL DEFAULT 'ducklake',
  db_username VARCHAR(255) NOT NULL,
  db_password VARCHAR(500) NOT NULL CHECK (db_password ~ '^(env|file):.'),
  cross_account_role_arn VARCHAR(255), -- NULL where Skein's own identity may use the bucket
  cross_account_external_id VARCHAR(500),
  enabled BOOLEAN NOT NULL DEFAULT true,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
