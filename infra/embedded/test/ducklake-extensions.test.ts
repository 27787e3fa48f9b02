import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { DuckDBInstance } from '@duckdb/node-api';

import { requireService, testDatabase } from '../test-services/index.ts';

test('a DuckLake with its catalog in PostgreSQL and its data in a directory', async () => {
  const catalog = await testDatabase('empty');
  const data = mkdtempSync(path.join(os.tmpdir(), 'skein-lake-'));
  const { hostname, port, username, password, pathname } = new URL(catalog.url);
  const instance = await DuckDBInstance.create(':memory:', { extension_directory: requireService('ducklake') });
  const connection = await instance.connect();
  await connection.run(
    `CREATE SECRET catalog (TYPE postgres, HOST '${hostname}', PORT ${port}, DATABASE '${pathname.slice(1)}', USER '${username}', PASSWORD '${password}')`,
  );
  await connection.run(`ATTACH 'ducklake:postgres:' AS lake (META_SECRET catalog, DATA_PATH '${data}/')`);
  await connection.run('CREATE TABLE lake.t AS SELECT i AS a FROM range(1000) r(i)');
  const { rows } = { rows: (await connection.runAndReadAll('SELECT count(a)::INT AS n FROM lake.t')).getRowObjects() };
  expect(rows).toEqual([{ n: 1000 }]);
  expect(readdirSync(data, { recursive: true }).some((file) => String(file).endsWith('.parquet'))).toBe(true);
  connection.closeSync();
  instance.closeSync();
  await catalog.drop();
  rmSync(data, { recursive: true });
});
