/** `skein pools`: concurrency limits that steps and tasks share. */

import type { Command } from 'commander';

import { NotFoundError } from '../../definitions/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import { WHEN_NONE_IS_NAMED, group, leaf } from '../help.ts';
import { wholeNumber } from '../parse-arguments.ts';
import type { RunAction, Session } from '../session.ts';
import { table } from '../terminal.ts';

export function registerPools(program: Command, run: RunAction): void {
  const pools = group(program, 'pools', 'pools: list, show, set', ['skein pools', 'skein pools set my_pool 4']);
  leaf(pools, 'list', 'all pools with their limits and use', ['skein pools list --json'], WHEN_NONE_IS_NAMED).action(
    () => run(list),
  );
  leaf(pools, 'show <pool>', 'one pool', ['skein pools show my_pool']).action((name: string) =>
    run((session) => show(session, name)),
  );
  leaf(pools, 'set', 'change a limit; it holds until it is set again', ['skein pools set my_pool 4'])
    .argument('<pool>')
    .argument('<limit>', 'steps and tasks at once', wholeNumber(0, 100_000))
    .action((name: string, limit: number) => run((session) => set(session, name, limit)));
}

interface PoolUse {
  readonly name: string;
  readonly limit: number;
  readonly used: number;
  /** Who set the limit: a person, the definitions, or nobody. */
  readonly limit_by: 'set' | 'definition' | 'default';
}

const DEFAULT_LIMIT = 10;

async function readPools(session: Session, engine: Engine): Promise<PoolUse[]> {
  const limits = await engine.redis.hgetall(engine.keys.pools);
  const names = new Set([
    ...[...session.deployment.assets.values()].flatMap(({ pool }) => (pool === undefined ? [] : [pool])),
    ...Object.keys(limits).map((field) => field.slice(0, field.lastIndexOf('|'))),
  ]);
  return Promise.all(
    [...names].sort().map(async (name): Promise<PoolUse> => {
      const own = limits[`${name}|set`] ?? limits[`${name}|live`];
      const defined = limits[`${name}|default`];
      return {
        name,
        limit: Number(own ?? defined ?? DEFAULT_LIMIT),
        used: await engine.redis.scard(engine.keys.pool(name)),
        limit_by: own !== undefined ? 'set' : defined !== undefined ? 'definition' : 'default',
      };
    }),
  );
}

/** @throws NotFoundError */
async function readPool(session: Session, engine: Engine, name: string): Promise<PoolUse> {
  const pools = await readPools(session, engine);
  const found = pools.find((pool) => pool.name === name);
  if (found) return found;
  throw new NotFoundError(
    `No pool is named “${name.slice(0, 100)}”. Known: ${pools.map((pool) => pool.name).join(', ') || 'none'}.`,
  );
}

function poolTable(pools: readonly PoolUse[]): string[] {
  return table(
    ['POOL', 'USED', 'LIMIT', 'LIMIT BY'],
    pools.map((pool) => [pool.name, String(pool.used), String(pool.limit), pool.limit_by]),
  );
}

async function list(session: Session): Promise<void> {
  const pools = await readPools(session, await session.engine());
  session.print({ pools: pools.map((pool) => ({ ...pool })) }, () =>
    pools.length === 0 ? ['no pools'] : poolTable(pools),
  );
}

async function show(session: Session, name: string): Promise<void> {
  const pool = await readPool(session, await session.engine(), name);
  session.print({ ...pool }, () => poolTable([pool]));
}

async function set(session: Session, name: string, limit: number): Promise<void> {
  const engine = await session.engine();
  const before = await readPool(session, engine, name);
  await engine.redis.hset(engine.keys.pools, `${name}|set`, limit);
  engine.dispatcher.kick();
  await session.audit({ action: 'skein pools set', target: `pool:${name}`, before: before.limit, after: limit });
  const after = await readPool(session, engine, name);
  session.print({ ...after }, () => poolTable([after]));
}
