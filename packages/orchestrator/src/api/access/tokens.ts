/**
 * API tokens: `skein_` and 32 random bytes, shown once. Redis keeps their SHA-256, a role, an expiry and when they were
 * last used. A revoked or expired token is refused at once; nothing is cached.
 */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

import { ulid } from 'ulid';

import { NotFoundError } from '../../definitions/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Principal, Role } from './principal.ts';

export interface TokenRecord {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** Jobs that it is limited to; null: all. */
  readonly jobs: readonly string[] | null;
  readonly created_at: string;
  readonly created_by: string;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
}

type LedgerPort = Pick<Engine, 'redis' | 'keys'>;

const keyOf = ({ keys }: LedgerPort, id: string) => `${keys.prefix}:token:${id}`;
const indexOf = ({ keys }: LedgerPort) => `${keys.prefix}:tokens`;
const byHash = ({ keys }: LedgerPort) => `${keys.prefix}:tokens:sha256`;

export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** True when both are the same, in time that does not depend on where they differ. */
export function equalSecrets(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}

/** The token's text is in this answer and nowhere else. */
export async function createToken(
  ledger: LedgerPort,
  spec: {
    readonly name: string;
    readonly role: Role;
    readonly jobs?: readonly string[];
    readonly expiresAt?: Date;
    readonly by: string;
  },
): Promise<{ readonly token: string; readonly record: TokenRecord }> {
  const id = ulid();
  const token = `skein_${randomBytes(32).toString('base64url')}`;
  const hash = hashSecret(token);
  const fields = {
    id,
    name: spec.name,
    role: spec.role,
    jobs: spec.jobs === undefined ? '' : JSON.stringify(spec.jobs),
    hash,
    created: Date.now(),
    by: spec.by,
    expires: spec.expiresAt?.getTime() ?? '',
  };
  await ledger.redis
    .multi()
    .hset(keyOf(ledger, id), fields)
    .hset(byHash(ledger), hash, id)
    .zadd(indexOf(ledger), Date.now(), id)
    .exec();
  return { token, record: toRecord(Object.fromEntries(Object.entries(fields).map(([k, v]) => [k, String(v)]))) };
}

/** Undefined when it is unknown, revoked or expired. */
export async function findToken(ledger: LedgerPort, token: string): Promise<Principal | undefined> {
  if (token.length > 200) return undefined;
  const hash = hashSecret(token);
  const id = await ledger.redis.hget(byHash(ledger), hash);
  return id === null ? undefined : findTokenById(ledger, id, hash);
}

/** @param hash when given, it must be the token's */
export async function findTokenById(ledger: LedgerPort, id: string, hash?: string): Promise<Principal | undefined> {
  const fields = await ledger.redis.hgetall(keyOf(ledger, id));
  if (fields.hash === undefined || (hash !== undefined && !equalSecrets(fields.hash, hash))) return undefined;
  if (fields.expires && Number(fields.expires) <= Date.now()) return undefined;
  // Once a minute is enough for people to see whether a token is still in use.
  if (Date.now() - Number(fields.used ?? 0) > 60_000) await ledger.redis.hset(keyOf(ledger, id), 'used', Date.now());
  const role = (fields.role ?? 'viewer') as Role;
  return { name: fields.name ?? id, role, via: 'token', tokenId: id, jobs: jobsOf(fields) ?? undefined };
}

export async function listTokens(ledger: LedgerPort): Promise<TokenRecord[]> {
  const ids = await ledger.redis.zrevrange(indexOf(ledger), 0, 499);
  const records = await Promise.all(ids.map((id) => ledger.redis.hgetall(keyOf(ledger, id))));
  return records.filter((fields) => fields.id !== undefined).map(toRecord);
}

/** @throws NotFoundError */
export async function revokeToken(ledger: LedgerPort, id: string): Promise<TokenRecord> {
  const fields = await ledger.redis.hgetall(keyOf(ledger, id));
  if (fields.hash === undefined) throw new NotFoundError(`No token has the id ${id.slice(0, 60)}.`);
  await ledger.redis.multi().del(keyOf(ledger, id)).hdel(byHash(ledger), fields.hash).zrem(indexOf(ledger), id).exec();
  return toRecord(fields);
}

function jobsOf({ jobs }: Record<string, string>): string[] | null {
  return jobs ? (JSON.parse(jobs) as string[]) : null;
}

function toRecord(fields: Record<string, string>): TokenRecord {
  const at = (text: string | undefined) => (text ? new Date(Number(text)).toISOString() : null);
  return {
    id: fields.id ?? '',
    name: fields.name ?? '',
    role: (fields.role ?? 'viewer') as Role,
    jobs: jobsOf(fields),
    created_at: at(fields.created) ?? new Date(0).toISOString(),
    created_by: fields.by ?? '',
    expires_at: at(fields.expires),
    last_used_at: at(fields.used),
  };
}
