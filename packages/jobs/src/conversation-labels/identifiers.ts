/**
 * Names and texts that must stand inside SQL. Values are bound as parameters everywhere else; identifiers come from
 * configuration and tables, so they are held against a narrow grammar, and the one kind of statement that cannot take
 * parameters (a mutation over thousands of conversation ids, whose parameters would have to fit into a URL) quotes its
 * texts here.
 */

import { ConfigInvalidError } from '@skein/orchestrator';

/** A ClickHouse database, table or cluster, quoted. @throws ConfigInvalidError for anything unusual */
export function identifier(name: string, what: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_-]{0,191}$/.test(name)) {
    throw new ConfigInvalidError(
      `“${name.slice(0, 80)}” is not a ${what} that Skein works with: use letters, digits, _ and -.`,
    );
  }
  return `\`${name}\``;
}

/** A text literal of ClickHouse. */
export function quoted(text: string): string {
  return `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;
}
