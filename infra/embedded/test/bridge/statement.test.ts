import { withClientIds } from '../../src/bridge/kill.ts';
import { isInsert, isRead, isUrgent, parseInsertWithRows, tagged } from '../../src/bridge/statement.ts';

test.each([
  ['SELECT 1', true],
  ['  -- a comment\n/* another */ (SELECT 1) UNION ALL SELECT 2', true],
  ['WITH 1 AS x SELECT x', true],
  ['FROM t SELECT a', true],
  ["SELECT 1 INTO OUTFILE '/x'", false],
  ['INSERT INTO t SELECT 1', false],
  ['SHOW TABLES', false],
  ['ALTER TABLE t DELETE WHERE 1', false],
])('%p is streamed: %p', (sql, expected) => {
  expect(isRead(sql)).toBe(expected);
});

test('inserts with rows behind them are taken apart', () => {
  expect(parseInsertWithRows('INSERT INTO t FORMAT JSONEachRow')).toMatchObject({
    table: 't',
    columns: undefined,
    lineFormat: 'JSONEachRow',
  });
  expect(parseInsertWithRows('insert into table `my db`.`t` (a, `b c`) SETTINGS x = 1, y = 2 format tsv\n')).toEqual({
    table: 'my db.t',
    columns: ['a', 'b c'],
    settings: 'x = 1, y = 2',
    format: 'tsv',
    lineFormat: 'TSV',
  });
  expect(parseInsertWithRows('INSERT INTO t FORMAT Parquet')).toMatchObject({
    format: 'Parquet',
    lineFormat: undefined,
  });
  expect(parseInsertWithRows('INSERT INTO t SELECT 1')).toBeUndefined();
  expect(parseInsertWithRows('SELECT 1 FORMAT JSONEachRow')).toBeUndefined();
});

test('inserts, and what must not queue', () => {
  expect(isInsert('/* x */ INSERT INTO FUNCTION file(1) SELECT 1')).toBe(true);
  expect(isUrgent("KILL QUERY WHERE query_id = 'x'")).toBe(true);
  expect(isUrgent('SELECT query FROM system.processes')).toBe(true);
  expect(isUrgent('SELECT 1')).toBe(false);
});

test('an id cannot end the comment that carries it', () => {
  expect(tagged('SELECT 1', '01J-a.b:c_d')).toBe('/*qid:01J-a.b%3Ac_d*/ SELECT 1');
  expect(tagged('SELECT 1', "x*/ DROP TABLE t; '")).not.toMatch(/\*\/.*\*\//);
});

test('in KILL QUERY the column is rewritten, never a literal or a parameter', () => {
  const rewritten = withClientIds("query_id = 'query_id' AND `query_id` != {query_id:String}");
  expect(rewritten).toMatch(
    /^decodeURLComponent\(.*\) = 'query_id' AND decodeURLComponent\(.*\) != \{query_id:String\}$/,
  );
});
