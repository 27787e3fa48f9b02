/** What PostgreSQL says, turned into errors for people and reasons for machines. */

import pg from 'pg';

import { asPostgresError } from '../../src/resources/postgres.ts';

test.each([
  ['40001', 'could not serialize access due to concurrent update', true, 'conflict_retry_exhausted'],
  ['40P01', 'deadlock detected', true, 'conflict_retry_exhausted'],
  ['53300', 'too many connections', true, 'infra:postgres'],
  ['42P01', 'relation "x" does not exist', false, 'infra:postgres'],
])('%s: %s', (code, message, retryable, reason) => {
  const error = Object.assign(new pg.DatabaseError(message, message.length, 'error'), { code });
  expect(asPostgresError(error)).toMatchObject({
    message: `PostgreSQL refused: ${message}`,
    retryable,
    reason,
    details: { sqlstate: code },
  });
});
