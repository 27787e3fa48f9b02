/** The audit log: every change with author, reason, before and after, in a stream that only grows. */

import type { Engine } from '../engine/engine.ts';

export interface AuditEntry {
  readonly actor: string;
  readonly role: string;
  readonly ip: string;
  readonly action: string;
  readonly target: string;
  readonly reason?: string | undefined;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly requestId: string;
  /** HTTP status, or `ok`. */
  readonly result: string;
}

export interface AuditRecord {
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly role: string;
  readonly ip: string;
  readonly action: string;
  readonly target: string;
  readonly reason: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly request_id: string;
  readonly result: string;
}

type LedgerPort = Pick<Engine, 'redis' | 'keys'>;

/** Larger values are cut, and say so. */
const MAX_VALUE = 65_536;

const text = (value: unknown): string => {
  const json = value === undefined ? '' : JSON.stringify(value);
  return json.length > MAX_VALUE ? JSON.stringify({ cut: json.slice(0, MAX_VALUE) }) : json;
};

/** Also used by the command line, which speaks to the ledger itself. */
export async function appendAudit(ledger: LedgerPort, entry: AuditEntry): Promise<void> {
  await ledger.redis.xadd(
    ledger.keys.audit,
    '*',
    'at',
    Date.now(),
    'actor',
    entry.actor,
    'role',
    entry.role,
    'ip',
    entry.ip,
    'action',
    entry.action,
    'target',
    entry.target.slice(0, 1_000),
    'reason',
    entry.reason ?? '',
    'before',
    text(entry.before),
    'after',
    text(entry.after),
    'request_id',
    entry.requestId,
    'result',
    entry.result,
  );
}

/** Newest first, older than `after`. */
export async function readAudit(
  ledger: LedgerPort,
  page: { readonly after?: string; readonly limit: number },
): Promise<AuditRecord[]> {
  if (page.after === '0-0') return []; // Redis knows no id before it, and refuses the question
  const entries = await ledger.redis.xrevrange(
    ledger.keys.audit,
    page.after === undefined ? '+' : `(${page.after}`,
    '-',
    'COUNT',
    page.limit,
  );
  return entries.map(toRecord);
}

export async function findAudit(ledger: LedgerPort, id: string): Promise<AuditRecord | undefined> {
  const [entry] = await ledger.redis.xrange(ledger.keys.audit, id, id);
  return entry && toRecord(entry);
}

function toRecord([id, flat]: [string, string[]]): AuditRecord {
  const f: Record<string, string> = {};
  for (let i = 0; i + 1 < flat.length; i += 2) f[flat[i] ?? ''] = flat[i + 1] ?? '';
  return {
    id,
    at: new Date(Number(f.at)).toISOString(),
    actor: f.actor ?? '',
    role: f.role ?? '',
    ip: f.ip ?? '',
    action: f.action ?? '',
    target: f.target ?? '',
    reason: f.reason ?? '',
    before: f.before ? (JSON.parse(f.before) as unknown) : null,
    after: f.after ? (JSON.parse(f.after) as unknown) : null,
    request_id: f.request_id ?? '',
    result: f.result ?? '',
  };
}
