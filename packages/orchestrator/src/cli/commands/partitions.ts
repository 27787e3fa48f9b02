/** `skein partitions ASSET`: states of partitions; `forget` and `mark` are a person's say about them. */

import type { Command } from 'commander';

import { RefusedError } from '../../definitions/errors.ts';
import type { Activity, LastOutcome } from '../../definitions/sensor.ts';
import type { Mark } from '../../engine/mark.ts';
import { leaf, overServer } from '../help.ts';
import { collectIds, wholeNumber, wordsOf } from '../parse-arguments.ts';
import type { PartitionsPort, ShownPartition } from '../ports/partitions.ts';
import type { RunAction, Session } from '../session.ts';
import { confirm, shorten, table, time } from '../terminal.ts';
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
    .option('--id <ids...>', 'ids or ranges of them, such as 7 or 1..50', collectIds)
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
  [partitions, ...partitions.commands].forEach(overServer);
}

function selecting(command: Command): Command {
  return command
    .option('--partition <keys...>', 'keys or ranges, like the arguments')
    .option('--id <ids...>', 'every partition of these ids', collectIds)
    .option('--reason <text>', 'why, for the audit log')
    .option('--preview', 'say how many would change, and change nothing');
}

interface ListFlags {
  readonly id?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly status?: readonly (typeof STATUSES)[number][];
  readonly limit: number;
}

async function open(session: Session): Promise<PartitionsPort> {
  const { openPartitions } = await import('../ports/partitions.ts');
  return openPartitions(session);
}

async function list(session: Session, name: string | undefined, flags: ListFlags): Promise<void> {
  if (name === undefined) throw new UsageError('Missing required argument “asset”.', { hint: 'See “skein assets”.' });
  const { id: ids = [], from, to, status: statuses = [] } = flags;
  const port = await open(session);
  // One more than asked for tells whether there are more.
  const found = await port.list(name, { ids, from, to, statuses }, flags.limit + 1);
  const shown = found.slice(0, flags.limit);
  const counts = await port.counts(name, ids);
  const truncated = found.length > shown.length;
  session.print({ asset: name, counts: { ...counts }, partitions: shown.map(toJson), truncated }, () => [
    ...(shown.length === 0 ? ['no such partitions'] : partitionTable(shown)),
    ...(truncated ? [`… and more: raise --limit ${flags.limit}`] : []),
  ]);
}

const statusOf = ({ activity, outcome }: ShownPartition) => (activity === 'idle' ? outcome : activity);

function toJson(one: ShownPartition) {
  return {
    key: one.key,
    status: statusOf(one),
    outcome: one.outcome,
    activity: one.activity,
    run_id: one.last_run?.run_id ?? null,
    run_status: one.last_run?.status ?? null,
    ended_at: one.last_run?.ended_at ?? null,
    failures: one.last_run?.failures ?? 0,
  };
}

function partitionTable(shown: readonly ShownPartition[]): string[] {
  return table(
    ['PARTITION', 'OUTCOME', 'ACTIVITY', 'LAST RUN', 'ENDED'],
    shown.map((one) => [one.key, one.outcome, one.activity, one.last_run?.run_id ?? '–', time(one.last_run?.ended_at)]),
  );
}

interface SelectFlags {
  readonly partition?: readonly string[];
  readonly id?: readonly string[];
  readonly reason?: string;
  readonly preview?: boolean;
  readonly yes?: boolean;
}

async function mark(
  session: Session,
  name: string,
  words: readonly string[],
  flags: SelectFlags,
  as: Mark,
): Promise<void> {
  const partitions = [...words, ...(flags.partition ?? [])];
  const ids = flags.id ?? [];
  if (partitions.length === 0 && ids.length === 0) {
    throw new UsageError('Say which partitions: keys, ranges or --id.', { hint: `See “skein partitions ${name}”.` });
  }
  const what = [...partitions, ...(ids.length > 0 ? [`everything of ${ids.join(', ')}`] : [])].join(', ');
  const preview = flags.preview === true;
  if (!preview && flags.yes !== true && !(await confirm(`Set ${shorten(what, 200)} of ${name} to ${as}?`)))
    throw new RefusedError('Nothing was changed.');
  const options = { reason: flags.reason ?? (preview ? 'a preview' : undefined), preview };
  const { changed, busy } = await (await open(session)).mark(name, { partitions, ids }, as, options);
  session.print({ asset: name, as, changed, busy, ...(preview ? { preview } : {}) }, () => [
    `${changed} ${preview ? 'would be ' : ''}changed${busy > 0 ? `, ${busy} left alone because they are queued or running` : ''}`,
  ]);
}
