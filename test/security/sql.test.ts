/**
 * SQL is built of constants, quoted identifiers and placeholders; values travel as parameters. Every template and every
 * concatenation of the sources is looked at; what is not a constant by its form stands in `sql-reviewed.ts`.
 */

import { sourcesOf } from './sources.ts';
import { REVIEWED } from './sql-reviewed.ts';
import { insertionsOf } from './sql-templates.ts';

const reviewed = new Map(REVIEWED.map(({ file, codes }) => [file, new Set(codes)]));

test('nothing is put into SQL text but what cannot come from outside', () => {
  const sources = sourcesOf(['orchestrator', 'jobs', 'sensors']);
  expect(sources.size).toBeGreaterThan(250);
  const found = [...sources].flatMap(([file, text]) => insertionsOf(file, text).map((one) => ({ file, ...one })));
  const unknown = found.filter(({ file, code }) => reviewed.get(file)?.has(code) !== true);
  expect(unknown.map(({ file, line, code }) => `${file}:${line} \${${code}}`)).toEqual([]);
  // What has gone from the sources goes from the list.
  const used = new Set(found.map(({ file, code }) => `${file} ${code}`));
  const left = REVIEWED.flatMap(({ file, codes }) => codes.map((code) => `${file} ${code}`)).filter(
    (one) => !used.has(one),
  );
  expect(left).toEqual([]);
  expect(REVIEWED.every(({ why }) => why.length > 10)).toBe(true);
});

test.each([
  ['a value in a template', 'rows(`SELECT * FROM t WHERE key = ${key}`)', 'key'],
  ['a value between quotes', "rows(`SELECT * FROM t WHERE key = '${request.key}'`)", 'request.key'],
  ['a table by its name', 'run(`DROP TABLE ${options.table}`)', 'options.table'],
  ['a list', 'rows(`SELECT 1 FROM t WHERE id IN (${ids.join(",")})`)', 'ids.join(",")'],
  ['a text that is put together', 'rows("SELECT * FROM t WHERE key = " + key)', '"SELECT * FROM t WHERE key = " + key'],
  ['a condition by itself', 'const where = `name = 1 AND key = ${key}`', 'key'],
  ['a file to read', 'run(`COPY t TO ${file}`)', 'file'],
  ['a setting', 'run(`SET threads = ${threads}`)', 'threads'],
])('%s is found', (_what, code, found) => {
  expect(insertionsOf('planted.ts', code).map((one) => one.code)).toEqual([found]);
});

test.each([
  'rows(`SELECT ${COLUMNS.join(", ")} FROM t WHERE key = $1`, [key])',
  'rows(`SELECT * FROM ${identifier(name, "table")} WHERE key = {key:String}`)',
  'run(`COPY t TO ${literal(file)} (FORMAT parquet)`)',
  'throw new RefusedError(`SELECT ${key} is refused`)',
  'log.warn(`DROP TABLE ${name} failed`)',
  'say(`${count} rows from ${place}`)',
])('%s is not', (code) => expect(insertionsOf('planted.ts', code)).toEqual([]));
