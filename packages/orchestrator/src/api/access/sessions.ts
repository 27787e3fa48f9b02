/**
 * Browser sessions: a random id in an HttpOnly, SameSite cookie; Redis keeps its SHA-256 and the token it was made with,
 * so that revoking the token ends its sessions at once.
 */

import { randomBytes } from 'node:crypto';

import type { Engine } from '../../engine/engine.ts';
import type { ApiSettings } from '../settings.ts';
import type { Principal, Role } from './principal.ts';
import { findTokenById, hashSecret } from './tokens.ts';

export const SESSION_COOKIE = 'skein_session';

type LedgerPort = Pick<Engine, 'redis' | 'keys'>;

const keyOf = ({ keys }: LedgerPort, id: string) => `${keys.prefix}:session:${hashSecret(id)}`;

/** Gives the cookie's value. */
export async function openSession(ledger: LedgerPort, principal: Principal, settings: ApiSettings): Promise<string> {
  const id = randomBytes(32).toString('base64url');
  const fields = { name: principal.name, role: principal.role, token: principal.tokenId ?? '' };
  await ledger.redis
    .multi()
    .hset(keyOf(ledger, id), fields)
    .pexpire(keyOf(ledger, id), Math.round(settings.sessionTtlMs))
    .exec();
  return id;
}

export async function findSession(ledger: LedgerPort, id: string): Promise<Principal | undefined> {
  if (id.length > 200) return undefined;
  const fields = await ledger.redis.hgetall(keyOf(ledger, id));
  if (fields.role === undefined) return undefined;
  if (!fields.token)
    return { name: fields.name ?? 'root', role: fields.role as Role, via: 'session', tokenId: undefined };
  const owner = await findTokenById(ledger, fields.token);
  return owner && { ...owner, via: 'session' };
}

export async function closeSession(ledger: LedgerPort, id: string): Promise<void> {
  await ledger.redis.del(keyOf(ledger, id));
}
