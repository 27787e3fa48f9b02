/** `skein partitions ASSET`: states of partitions; `forget` and `mark` are a person's say about them. */

import type { Command } from 'commander';

import type { Asset } from '../../definitions/asset.ts';
import { lookUp } from '../../definitions/deployment.ts';
import { RefusedError } from '../../definitions/errors.ts';
import type { Activity, LastOutcome, LastRun } from '../../definitions/sensor.ts';
import type { Mark, MarkResult } from '../../engine/mark.ts';
import type { ListFilter, ListedPartition } from '../../engine/reads/partitions.ts';
import { leaf } from '../help.ts';
import { wholeNumber, wordsOf } from '../parse-arguments.ts';
import { expandKeys, expandRows } from '../partition-arguments.ts';
import type { RunAction, Session } from '../session.ts';
import { confirm, table, time } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

const STATUSES = [
  'missing',
  'materialized',
  'failed',
  'skipped',
  'queued',
  'running',
  'cancelling',
] as const satisfies readonly (LastOutcome | Activity)[];
const MARKS = ['missing', 'materialized', 'skipped'] as const;

export function registerPartitions(program: Command, run: RunAction): void {
  const partitions = leaf(program, 'partitions [asset]', 'states of an asset’s partitions', [
    'skein partitions my_asset --id 7 --from 2026-01-01 --to 2026-01-31',
    'skein partitions my_asset --status failed,running --json',
    'skein partitions my_asset --id 1..50 --status missing --from 2026-01-01',
    'skein partitions forget my_asset --id 7',
    'skein partitions mark my_asset 7_2026-01-01..2026-01-31 --as materialized',
  ])
    .option('--id <ids...>', 'ids or ranges of them, such as 7 or 1..50')
    .option('--from <label>', 'from this day or window on')
    .option('--to <label>', 'up to and with this one')
    .option('--status <statuses>', STATUSES.join(', '), wordsOf(STATUSES))
    .option('--limit <n>', 'at most so many', wholeNumber(1, 1_000_000), 1_000)
    // What stands behind forget and mark is theirs: --id means something else there.
    .enablePositionalOptions()
    .action((asset: string | undefined, flags: ListFlags) => run((session) => list(session, asset, flags)));

  selecting(
    leaf(partitions, 'forget <asset> [keys...]', 'forget states and last runs; what runs is left alone', [
      'skein partitions forget my_asset 7_2026-01-31',
      'skein partitions forget my_asset --id 7 --yes',
    ]),
  )
    .option('--yes', 'do not ask on a terminal')
    .action((asset: string, keys: string[], flags: SelectFlags) =>
      run((session) => mark(session, asset, keys, flags, 'missing')),
    );
  selecting(
    leaf(partitions, 'mark <asset> [keys...]', 'set the last outcome of partitions that are idle', [
      'skein partitions mark my_asset 7_2026-01-01..2026-01-31 --as materialized',
    ]),
  )
    .requiredOption('--as <outcome>', MARKS.join(', '), (text: string) => wordsOf(MARKS)(text)[0])
    .option('--yes', 'do not ask on a terminal')
    .action((asset: string, keys: string[], flags: SelectFlags & { readonly as: Mark }) =>
      run((session) => mark(session, asset, keys, flags, flags.as)),
    );
}

function selecting(command: Command): Command {
  return command
    .option('--partition <keys...>', 'keys or ranges, like the arguments')
    .option('--id <ids...>', 'every partition of these ids');
}

interface ListFlags {
  readonly id?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly status?: readonly (LastOutcome | Activity)[];
  readonly limit: number;
}

async function list(session: Session, name: string | undefined, flags: ListFlags): Promise<void> {
  if (name === undefined) throw new UsageError('Missing required argument “asset”.', { hint: 'See “skein assets”.' });
  const asset = lookUp('asset', session.deployment.assets, name);
  const filter = toFilter(asset, flags);
  const [{ listPartitions, readCounts, sumCounts }, { readLastRuns }] = await Promise.all([
    import('../../engine/reads/partitions.ts'),
    import('../../engine/partition-reader.ts'),
  ]);
  const engine = await session.engine();
  // One more than asked for tells whether there are more.
  const found = await listPartitions(engine, asset, { ...filter, limit: flags.limit + 1 });
  const shown = found.slice(0, flags.limit);
  const [counts, lastRuns] = await Promise.all([
    filter.rows === undefined ? readCounts(engine, asset) : sumCounts(engine, asset, filter.rows),
    readLastRuns(
      engine,
      asset,
      shown.map(({ key }) => key),
    ),
  ]);
  const truncated = found.length > shown.length;
  session.print(
    {
      asset: asset.key,
      counts: { ...counts },
      partitions: shown.map((one) => partitionJson(one, lastRuns.get(one.key))),
      truncated,
    },
    () => [
      ...(shown.length === 0 ? ['no such partitions'] : partitionTable(shown, lastRuns)),
      ...(truncated ? [`… and more: raise --limit ${flags.limit}`] : []),
    ],
  );
}

function toFilter(asset: Asset, flags: ListFlags): Omit<ListFilter, 'limit'> {
  const { columns } = asset.partitions;
  const timed = columns.kind === 'time';
  if (!timed && (flags.from ?? flags.to) !== undefined)
    throw new UsageError(`${asset.key} has no days: its partitions are ${asset.partitions.grammar}.`);
  for (const label of [flags.from, flags.to]) if (label !== undefined) columns.column(label);
  // What is missing has no state that would end the list: it ends with the last complete day.
  const to = flags.to ?? (timed && flags.status?.includes('missing') ? lastLabel(asset) : undefined);
  return {
    ...(flags.id === undefined ? {} : { rows: expandRows(asset, flags.id) }),
    ...(flags.from === undefined ? {} : { from: flags.from }),
    ...(to === undefined ? {} : { to }),
    ...(flags.status === undefined ? {} : { statuses: flags.status }),
  };
}

function lastLabel(asset: Asset): string {
  const { columns } = asset.partitions;
  return columns.label(Math.max(0, columns.lastComplete(new Date())));
}

const statusOf = (one: ListedPartition) => (one.activity === 'idle' ? one.outcome : one.activity);

function partitionJson(one: ListedPartition, last: LastRun | undefined) {
  return {
    key: one.key,
    status: statusOf(one),
    outcome: one.outcome,
    activity: one.activity,
    run_id: last?.runId ?? null,
    run_status: last?.status ?? null,
    ended_at: last?.endedAt?.toISOString() ?? null,
    failures: last?.failures ?? 0,
  };
}

function partitionTable(shown: readonly ListedPartition[], lastRuns: ReadonlyMap<string, LastRun>): string[] {
  return table(
    ['PARTITION', 'OUTCOME', 'ACTIVITY', 'LAST RUN', 'ENDED'],
    shown.map((one) => {
      const last = lastRuns.get(one.key);
      return [one.key, one.outcome, one.activity, last?.runId ?? '–', time(last?.endedAt)];
    }),
  );
}

interface SelectFlags {
  readonly partition?: readonly string[];
  readonly id?: readonly string[];
  readonly yes?: boolean;
}

async function mark(
  session: Session,
  name: string,
  words: readonly string[],
  flags: SelectFlags,
  as: Mark,
): Promise<void> {
  const asset = lookUp('asset', session.deployment.assets, name);
  const keys = expandKeys(asset, [...words, ...(flags.partition ?? [])]);
  const rows = expandRows(asset, flags.id ?? []);
  if (keys.length === 0 && rows.length === 0) {
    throw new UsageError('Say which partitions: keys, ranges or --id.', { hint: `See “skein partitions ${name}”.` });
  }
  const what = [keys.length > 0 ? `${keys.length} partitions` : '', rows.length > 0 ? `all of ${rows.length} ids` : '']
    .filter(Boolean)
    .join(' and ');
  if (flags.yes !== true && !(await confirm(`Set ${what} of ${name} to ${as}?`)))
    throw new RefusedError('Nothing was changed.');
  const { markPartitions, markWholeRow } = await import('../../engine/mark.ts');
  const engine = await session.engine();
  const results: MarkResult[] = [await markPartitions(engine, asset, keys, as, session.by)];
  for (const row of rows) results.push(await markWholeRow(engine, asset, row, as, session.by));
  const changed = results.reduce((sum, one) => sum + one.changed, 0);
  const busy = results.reduce((sum, one) => sum + one.busy, 0);
  await session.audit({
    action: 'skein partitions mark',
    target: `asset:${name}`,
    after: { as, keys: keys.slice(0, 100), ids: rows.slice(0, 100), changed, busy },
  });
  session.print({ asset: name, as, changed, busy }, () => [
    `${changed} changed${busy > 0 ? `, ${busy} left alone because they are queued or running` : ''}`,
  ]);
}
