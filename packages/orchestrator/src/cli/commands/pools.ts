/** `skein pools`: concurrency limits that steps and tasks share. */

import type { Command } from 'commander';

import { NotFoundError } from '../../definitions/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import type { PoolInfo } from '../../engine/pools.ts';
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
  /** Who set the limit: a person, the probe of its destination, the definitions, or nobody. */
  readonly limit_by: PoolInfo['limitBy'];
  /** Why, as the person or the probe said. */
  readonly reason?: string;
  readonly bounds?: { readonly min: number; readonly max: number };
}

function toUse({ name, limit, used, limitBy, reason, bounds }: PoolInfo): PoolUse {
  return { name, limit, used, limit_by: limitBy, ...(reason === '' ? {} : { reason }), ...(bounds ? { bounds } : {}) };
}

async function readPools(engine: Engine): Promise<PoolUse[]> {
  const { poolNames, readPool } = await import('../../engine/pools.ts');
  return (await Promise.all(poolNames(engine).map((name) => readPool(engine, name)))).map(toUse);
}

/** @throws NotFoundError */
async function onePool(engine: Engine, name: string): Promise<PoolUse> {
  const pools = await readPools(engine);
  const found = pools.find((pool) => pool.name === name);
  if (found) return found;
  throw new NotFoundError(
    `No pool is named “${name.slice(0, 100)}”. Known: ${pools.map((pool) => pool.name).join(', ') || 'none'}.`,
  );
}

function poolTable(pools: readonly PoolUse[]): string[] {
  return table(
    ['POOL', 'USED', 'LIMIT', 'LIMIT BY', 'WHY'],
    pools.map((pool) => [pool.name, String(pool.used), String(pool.limit), pool.limit_by, pool.reason ?? '']),
  );
}

async function list(session: Session): Promise<void> {
  const pools = await readPools(await session.engine());
  session.print({ pools: pools.map((pool) => ({ ...pool })) }, () =>
    pools.length === 0 ? ['no pools'] : poolTable(pools),
  );
}

async function show(session: Session, name: string): Promise<void> {
  const pool = await onePool(await session.engine(), name);
  session.print({ ...pool }, () => poolTable([pool]));
}

async function set(session: Session, name: string, limit: number): Promise<void> {
  const { setPoolLimit } = await import('../../engine/pools.ts');
  const engine = await session.engine();
  const before = await onePool(engine, name);
  const after = toUse(await setPoolLimit(engine, name, limit, session.by));
  await session.audit({ action: 'skein pools set', target: `pool:${name}`, before: before.limit, after: limit });
  session.print({ ...after }, () => poolTable([after]));
}
