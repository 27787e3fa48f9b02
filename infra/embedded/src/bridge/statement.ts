/**
 * Owns what the bridge must know about a statement before the engine sees it: whether its result can be streamed,
 * whether it is an INSERT with data behind it. Nothing else about SQL is interpreted here.
 */

const SPACE = String.raw`(?:\s|--[^\n]*\n|/\*[\s\S]*?\*/)`;
const READ = new RegExp(String.raw`^(?:${SPACE}|\()*(?:SELECT|WITH|FROM|VALUES)\b`, 'i');
/** Of any statement, comments before it included. */
export const KILL = new RegExp(String.raw`^${SPACE}*KILL\s+(?:QUERY|MUTATION)\b`, 'i');
const PROCESSES = /\bsystem\s*\.\s*(?:processes|merges|mutations|kafka_consumers)\b/i;
const INSERT_WITH_ROWS = new RegExp(
  String.raw`^${SPACE}*INSERT\s+INTO\s+(?:TABLE\s+)?(?<table>(?:[\w]+|"[^"]+"|${'`[^`]+`'})(?:\s*\.\s*(?:[\w]+|"[^"]+"|${'`[^`]+`'}))?)` +
    String.raw`\s*(?:\((?<columns>[^()]*)\))?\s*(?:SETTINGS\s+(?<settings>[\s\S]+?))?\s*FORMAT\s+(?<format>\w+)\s*;?\s*$`,
  'i',
);
const INSERT = new RegExp(String.raw`^${SPACE}*INSERT\s+INTO\b`, 'i');

/** The engine streams these; other statements give small results at once. */
export function isRead(sql: string): boolean {
  return READ.test(sql) && !/\bINTO\s+OUTFILE\b/i.test(sql);
}

export function isInsert(sql: string): boolean {
  return INSERT.test(sql);
}

/** Looking after other queries must not queue behind them. */
export function isUrgent(sql: string): boolean {
  return KILL.test(sql) || (READ.test(sql) && PROCESSES.test(sql));
}

/** Formats in which a line is always a row, so that the engine can take the data in pieces. */
const LINE_FORMATS = ['JSONEachRow', 'JSONCompactEachRow', 'TSV', 'TabSeparated'] as const;
export type LineFormat = (typeof LINE_FORMATS)[number];

export interface InsertWithRows {
  readonly table: string;
  readonly columns: readonly string[] | undefined;
  /** The text after SETTINGS. */
  readonly settings: string | undefined;
  readonly format: string;
  readonly lineFormat: LineFormat | undefined;
}

/** `INSERT INTO t (a, b) SETTINGS … FORMAT x` whose rows follow in the body. */
export function parseInsertWithRows(sql: string): InsertWithRows | undefined {
  const groups = INSERT_WITH_ROWS.exec(sql)?.groups;
  if (groups === undefined) return undefined;
  const format = groups.format ?? '';
  return {
    table: (groups.table ?? '').split('.').map(unquote).join('.'),
    columns: groups.columns?.split(',').map(unquote),
    settings: groups.settings,
    format,
    lineFormat: LINE_FORMATS.find((known) => known.toLowerCase() === format.toLowerCase()),
  };
}

function unquote(name: string): string {
  return name.trim().replace(/^[`"]|[`"]$/g, '');
}

/** The comment by which a running query is found again. */
export function tagged(sql: string, queryId: string): string {
  return `/*qid:${encodeId(queryId)}*/ ${sql}`;
}

/** Characters that could end the comment or the pattern are encoded; ids in use (UUIDs, ULIDs) stay as they are. */
function encodeId(queryId: string): string {
  return encodeURIComponent(queryId).replace(/[*'()!~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function killByTag(queryId: string): string {
  return `KILL QUERY WHERE startsWith(query, ${literal(`/*qid:${encodeId(queryId)}*/`)}) ASYNC`;
}

export function literal(value: string): string {
  return `'${value.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;
}

export function identifier(name: string): string {
  return `\`${name.replace(/[\\`]/g, '\\$&')}\``;
}
