/**
 * How the ledger's Redis stands with its replicas, as `INFO replication` tells it. A ledger belongs on the primary: a
 * replica takes no writes, and what it answers is old.
 */

import type { Engine } from '../../engine/engine.ts';

export interface Replication {
  readonly role: 'primary' | 'replica';
  /** Of a replica: whether its link to the primary is up. */
  readonly linked: boolean;
  /** Connected to this primary, whatever their state. */
  readonly replicas: number;
  /** Of those, they that follow: online, and heard of within ten seconds. */
  readonly following: number;
  readonly maxLagSeconds: number;
}

/** A replica says every second how far it is. */
const LAG_SECONDS = 10;

export async function readReplication({ redis }: Pick<Engine, 'redis'>): Promise<Replication> {
  return parseReplication(await redis.info('replication'));
}

/** Pure; reads the whole of `INFO` too. */
export function parseReplication(info: string): Replication {
  const fact = (name: string) => new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]?.trim();
  const replicas = [...info.matchAll(/^slave\d+:(.*)$/gm)].map(([, text = '']) => {
    const field = (name: string) => new RegExp(`(?:^|,)${name}=([^,]*)`).exec(text.trim())?.[1];
    return { state: field('state'), lagSeconds: Number(field('lag') ?? 0) };
  });
  return {
    role: fact('role') === 'slave' ? 'replica' : 'primary',
    linked: fact('master_link_status') !== 'down',
    replicas: replicas.length,
    following: replicas.filter(({ state, lagSeconds }) => state === 'online' && lagSeconds <= LAG_SECONDS).length,
    maxLagSeconds: Math.max(0, ...replicas.map(({ lagSeconds }) => lagSeconds)),
  };
}
