import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import pg from 'pg';

import { removeServicesDirectory, startServices, stopServices } from '../src/index.ts';
import { reachableDataFolder } from '../src/postgres-binaries.ts';
import { testDatabase } from '../test-services/index.ts';

test('its user may create databases and triggers', async () => {
  const { url, drop } = await testDatabase('empty');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('CREATE TABLE t (a int, b int)');
  await client.query(
    "CREATE FUNCTION twice() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.b := NEW.a * 2; RETURN NEW; END'",
  );
  await client.query('CREATE TRIGGER twice BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION twice()');
  expect((await client.query('INSERT INTO t (a) VALUES (21) RETURNING b')).rows).toEqual([{ b: 42 }]);
  const name = `made_${Date.now()}`;
  await client.query(`CREATE DATABASE ${name}`);
  await client.query(`DROP DATABASE ${name}`);
  await client.end();
  await drop();
});

test('a wrong password is refused', async () => {
  const { url, drop } = await testDatabase('empty');
  const wrong = new URL(url);
  wrong.password = 'wrong';
  await expect(new pg.Client({ connectionString: wrong.href }).connect()).rejects.toThrow(
    /password authentication failed/,
  );
  await drop();
});

const asRoot = process.getuid?.() === 0 ? test : test.skip;

asRoot('in a folder that only root can enter, the data lie elsewhere, and the server runs', async () => {
  const home = mkdtempSync(path.join(os.tmpdir(), 'skein-private-'));
  chmodSync(home, 0o700);
  const dir = path.join(home, 'deep', '.skein');
  const folder = reachableDataFolder(path.join(dir, 'postgres'), { uid: 65534, gid: 65534 });
  expect(folder.startsWith(home)).toBe(false);
  try {
    const { env } = await startServices({ dir, only: ['postgres'], given: {} });
    const client = new pg.Client({ connectionString: env.PERSONS_DB_WRITER_URL });
    await client.connect();
    expect((await client.query('SHOW data_directory')).rows).toEqual([{ data_directory: path.join(folder, 'data') }]);
    await client.end();
  } finally {
    await stopServices({ dir });
    removeServicesDirectory(dir);
    rmSync(home, { recursive: true, force: true });
  }
});
