/** `skein pools`: concurrency limits that steps and tasks share. */

import type { Command } from 'commander';

import { NotFoundError } from '../../definitions/errors.ts';
import { WHEN_NONE_IS_NAMED, group, leaf, overServer } from '../help.ts';
import { wholeNumber } from '../parse-arguments.ts';
import type { PoolsPort, ShownPool } from '../ports/pools.ts';
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
  leaf(pools, 'set', 'change a limit; it holds until it is set again', [
    'skein pools set my_pool 4',
    '# what “skein pools show my_pool --json” gave as its version\n  skein pools set my_pool 4 --if-version 2 --reason "the source is slow"',
  ])
    .argument('<pool>')
    .argument('<limit>', 'steps and tasks at once', wholeNumber(0, 100_000))
    .option('--reason <text>', 'why, for those who read the audit log')
    .option(
      '--if-version <n>',
      'only when nobody has said anything about the limit since this version of it',
      wholeNumber(0, 1_000_000_000),
    )
    .action((name: string, limit: number, flags: SetFlags) => run((session) => set(session, name, limit, flags)));
  pools.commands.forEach(overServer);
}

/** What of a pool is printed. */
function toUse({ name, limit, used, limit_by, version, reason, bounds }: ShownPool) {
  return { name, limit, used, limit_by, version, ...(reason === '' ? {} : { reason }), ...(bounds ? { bounds } : {}) };
}

function poolTable(pools: readonly ShownPool[]): string[] {
  return table(
    ['POOL', 'USED', 'LIMIT', 'LIMIT BY', 'WHY'],
    pools.map((pool) => [pool.name, String(pool.used), String(pool.limit), pool.limit_by, pool.reason]),
  );
}

async function open(session: Session): Promise<PoolsPort> {
  const { openPools } = await import('../ports/pools.ts');
  return openPools(session);
}

async function list(session: Session): Promise<void> {
  const pools = await (await open(session)).list();
  session.print({ pools: pools.map(toUse) }, () => (pools.length === 0 ? ['no pools'] : poolTable(pools)));
}

async function show(session: Session, name: string): Promise<void> {
  const pools = await (await open(session)).list();
  const pool = pools.find((one) => one.name === name);
  if (pool) return session.print(toUse(pool), () => poolTable([pool]));
  const known = pools.map((one) => one.name).join(', ') || 'none';
  throw new NotFoundError(`No pool is named “${name.slice(0, 100)}”. Known: ${known}.`);
}

interface SetFlags {
  readonly reason?: string;
  readonly ifVersion?: number;
}

async function set(session: Session, name: string, limit: number, flags: SetFlags): Promise<void> {
  const pool = await (await open(session)).set(name, limit, flags);
  session.print(toUse(pool), () => poolTable([pool]));
}
