/**
 * Owns `KILL QUERY`: in it `query_id` means the id that the client gave, which the engine knows only as a comment
 * before the query. `SYNC` is done by looking again, because the engine's own waiting can wait for ever.
 */

import { setTimeout as sleep } from 'node:timers/promises';

import type { ChdbResult, Session } from 'chdb';

const KILL_QUERY = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*KILL\s+QUERY\b/i;
const PARTS =
  /KILL\s+QUERY\s+(?:ON\s+CLUSTER\s+\S+\s+)?WHERE\b(?<where>[\s\S]*?)\b(?<mode>SYNC|ASYNC|TEST)?\s*(?<format>FORMAT\s+\w+)?\s*;?\s*$/i;

/** How long `SYNC` waits; a query notices within a block of rows. */
const SYNC_TIMEOUT_MS = 30_000;

/** The client's id in the comment; for the engine `query_id` is a number of its own. */
const CLIENT_QUERY_ID = String.raw`decodeURLComponent(extract(query, '^/\\*qid:([^*]*)\\*/'))`;

export function isKillQuery(sql: string): boolean {
  return KILL_QUERY.test(sql);
}

export async function killQuery(session: Session, sql: string, format: string): Promise<ChdbResult> {
  const parts = PARTS.exec(sql)?.groups;
  if (parts === undefined) return session.queryAsync(sql, { format });
  const where = withClientIds(parts.where ?? '');
  const mode = parts.mode?.toUpperCase() ?? 'ASYNC';
  const statement = `KILL QUERY WHERE ${where} ${mode === 'TEST' ? 'TEST' : 'ASYNC'} ${parts.format ?? ''}`;
  const result = await session.queryAsync(statement, { format });
  if (mode === 'SYNC') await untilGone(session, where);
  return result;
}

export function withClientIds(where: string): string {
  // Odd pieces are string literals and bound parameters, which are left alone.
  return where
    .split(/('(?:[^'\\]|\\.|'')*'|\{[^}]*\})/)
    .map((piece, i) => (i % 2 === 1 ? piece : piece.replace(/[`"]?\bquery_id\b[`"]?/gi, CLIENT_QUERY_ID)))
    .join('');
}

async function untilGone(session: Session, where: string): Promise<void> {
  // This very look is a running query too and mentions the id, but its own text does not start with the comment.
  const look = `SELECT count() FROM system.processes WHERE (${where}) AND startsWith(query, '/*qid:')`;
  for (const until = Date.now() + SYNC_TIMEOUT_MS; Date.now() < until; await sleep(20)) {
    const result = await session.queryAsync(look, { format: 'TabSeparated' });
    if (result.text().trim() === '0') return;
  }
}
