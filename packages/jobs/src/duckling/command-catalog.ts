/** The actions of `skein ducklings` on rows of the catalog. */

import { type CommandContext, ConfigInvalidError } from '@skein/orchestrator';

import { type Duckling, type DucklingInput, DucklingRow, publicRow } from '../resources/duckling-catalog.ts';
import { ducklings } from '../resources/ducklake-ducklings.ts';
import { confirm } from './confirm.ts';

export interface RowFlags {
  readonly teamId: number;
  readonly bucket?: string;
  readonly bucketRegion?: string;
  readonly dbHost?: string;
  readonly dbPort?: number;
  readonly dbName?: string;
  readonly dbUsername?: string;
  readonly passwordEnv?: string;
  readonly passwordFile?: string;
  readonly roleArn?: string;
  readonly externalId?: string;
  readonly enable?: boolean;
  readonly disable?: boolean;
}

export async function listDucklings(context: CommandContext): Promise<void> {
  const rows = await (await context.open(ducklings)).catalog.list();
  context.print({ ducklings: rows.map(publicRow) }, () =>
    rows.length === 0
      ? ['There are no ducklings. Add one with “skein ducklings add --help”.']
      : rows.map((row) => describeRow(row)),
  );
}

export async function addDuckling(context: CommandContext, flags: RowFlags): Promise<void> {
  const row = parseRow({ ...changesOf(flags), team_id: flags.teamId });
  await (await context.open(ducklings)).catalog.add(row);
  context.print(publicRow(row), () => [
    `Added: ${describeRow(row)}`,
    `Try it: skein ducklings check --team-id ${row.team_id}`,
  ]);
}

export async function editDuckling(context: CommandContext, flags: RowFlags): Promise<void> {
  const { catalog } = await context.open(ducklings);
  const before = await catalog.get(flags.teamId);
  const row = parseRow({ ...before, ...changesOf(flags) });
  await catalog.edit(row);
  context.print(publicRow(row), () => [`Changed: ${describeRow(row)}`]);
}

export async function removeDuckling(
  context: CommandContext,
  flags: { readonly teamId: number; readonly yes?: boolean },
): Promise<void> {
  const { catalog } = await context.open(ducklings);
  const row = await catalog.get(flags.teamId);
  await confirm(context, flags.yes === true, [
    `Remove the duckling of team ${row.team_id}: ${describeRow(row)}`,
    'Its lake, its objects and the partitions’ states stay.',
  ]);
  await catalog.remove(row.team_id);
  context.print({ removed: row.team_id }, () => [`Removed the duckling of team ${row.team_id}.`]);
}

/** What is given, by the names of the columns. @throws ConfigInvalidError when two flags contradict each other */
function changesOf(flags: RowFlags): Partial<DucklingInput> {
  if (flags.passwordEnv !== undefined && flags.passwordFile !== undefined)
    throw new ConfigInvalidError('Give --password-env or --password-file, not both.');
  if (flags.enable && flags.disable) throw new ConfigInvalidError('Give --enable or --disable, not both.');
  const given = {
    bucket: flags.bucket,
    bucket_region: flags.bucketRegion,
    db_host: flags.dbHost,
    db_port: flags.dbPort,
    db_name: flags.dbName,
    db_username: flags.dbUsername,
    db_password:
      flags.passwordEnv !== undefined
        ? `env:${flags.passwordEnv}`
        : flags.passwordFile !== undefined
          ? `file:${flags.passwordFile}`
          : undefined,
    cross_account_role_arn: flags.roleArn,
    cross_account_external_id: flags.externalId,
    enabled: flags.enable ? true : flags.disable ? false : undefined,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<DucklingInput>;
}

const FLAG_OF: Readonly<Record<string, string>> = {
  db_password: '--password-env or --password-file',
  cross_account_role_arn: '--role-arn',
  cross_account_external_id: '--external-id',
};

/** @throws ConfigInvalidError that names every wrong or missing flag */
function parseRow(row: Partial<DucklingInput>): Duckling {
  const parsed = DucklingRow.safeParse(row);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => {
    const column = issue.path.map(String).join('.');
    const flag = FLAG_OF[column] ?? `--${column.replaceAll('_', '-')}`;
    return `${flag}: ${(row as Record<string, unknown>)[column] === undefined ? 'is missing' : issue.message}`;
  });
  throw new ConfigInvalidError(`The duckling is not complete: ${fields.join('; ')}.`, { details: { fields } });
}

function describeRow(row: Duckling): string {
  const role = row.cross_account_role_arn === null ? '' : `, as ${row.cross_account_role_arn}`;
  return `team ${row.team_id}  ${row.enabled ? 'enabled ' : 'disabled'}  ${row.bucket} (${row.bucket_region})  ${row.db_username}@${row.db_host}:${row.db_port}/${row.db_name}${role}`;
}
