/**
 * Owns the embedded PostgreSQL: one cluster with the databases `persons` and `app`. Its user is a superuser, so jobs'
 * tests may create databases and triggers.
 */

import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import pg from 'pg';

import { ServicesError } from './errors.ts';
import { freePort, LOOPBACK } from './ports.ts';
import { findPostgresPrograms, postgresUser, reachableDataFolder, type RunAs } from './postgres-binaries.ts';
import { lastLine } from './programs.ts';
import { runAs } from './run-as.ts';
import type { Service } from './service.ts';
import { startProcess } from './start-process.ts';

const USER = 'skein';
const DATABASES = ['persons', 'app'] as const;

export const postgres: Service = {
  name: 'postgres',
  variables: ['PERSONS_DB_READER_URL', 'PERSONS_DB_WRITER_URL', 'SKEIN_APP_DB_URL'],
  // Fast shutdown: SIGTERM would wait for every client to leave.
  stopSignal: 'SIGINT',
  async start({ dir, log, previous }) {
    const user = postgresUser();
    const programs = findPostgresPrograms(user);
    const password = previous?.memory?.password ?? randomBytes(18).toString('base64url');
    const folder = previous?.memory?.folder ?? reachableDataFolder(dir, user);
    const cluster = path.join(folder, 'data');
    // A cluster whose password nobody remembers is the rest of a directory that was removed.
    const usable = previous?.memory?.password !== undefined && existsSync(path.join(cluster, 'PG_VERSION'));
    if (!usable) await initialize(programs.initdb, folder, cluster, password, user);

    const port = await freePort(previous?.port);
    const url = (database: string) => `postgres://${USER}:${password}@${LOOPBACK}:${port}/${database}`;
    const args = [
      '-D',
      cluster,
      '-p',
      String(port),
      ...Object.entries(SETTINGS).flatMap(([k, v]) => ['-c', `${k}=${v}`]),
    ];
    const process = await startProcess('PostgreSQL', { command: programs.postgres, args, log, ...user }, () =>
      answers(url('postgres')),
    );
    await createDatabases(url('postgres'));
    return {
      process,
      port,
      memory: { password, folder },
      env: {
        PERSONS_DB_READER_URL: url('persons'),
        PERSONS_DB_WRITER_URL: url('persons'),
        SKEIN_APP_DB_URL: url('app'),
      },
      log,
      up: true,
    };
  },
};

const SETTINGS = {
  listen_addresses: LOOPBACK,
  // A socket's path is limited to 107 characters, which a checkout deep in a home exceeds.
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '128MB',
  // Survives a killed process, not a power cut: right for demo and tests, and several times faster.
  fsync: 'off',
  full_page_writes: 'off',
  timezone: 'UTC',
};

async function initialize(
  initdb: string,
  folder: string,
  cluster: string,
  password: string,
  user: RunAs,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o711);
  rmSync(cluster, { recursive: true, force: true });
  mkdirSync(cluster, { mode: 0o700 });
  const passwordFile = path.join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user.uid !== undefined && user.gid !== undefined) {
    chownSync(cluster, user.uid, user.gid);
    chownSync(passwordFile, user.uid, user.gid);
  }
  const args = [
    '-D',
    cluster,
    '-U',
    USER,
    '--auth=scram-sha-256',
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    '--locale=C.UTF-8',
    '--no-sync',
    '--no-instructions',
  ];
  const { code, output } = await runAs(initdb, args, user);
  rmSync(passwordFile, { force: true });
  if (code !== 0)
    throw new ServicesError('SERVICE_SETUP_FAILED', `PostgreSQL's initdb failed in ${cluster}: ${lastLine(output)}`);
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

async function createDatabases(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database');
    const there = new Set(rows.map((row) => row.datname));
    for (const name of DATABASES) if (!there.has(name)) await client.query(`CREATE DATABASE ${name}`);
  } finally {
    await client.end();
  }
}
