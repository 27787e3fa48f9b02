/** `skein orphan-test-data`: orphans of all three categories to try the sync on, and their removal. */

import { type CommandFamily, ConfigInvalidError } from '@skein/orchestrator';
import { type Command, InvalidArgumentError } from 'commander';

import { clickhouse } from '../resources/clickhouse.ts';
import { personsDb } from '../resources/postgres.ts';
import { type TestDataRequest, cleanUpTestData, createTestData } from './test-data.ts';

interface Options {
  readonly teamId: number;
  readonly fixable: number;
  readonly trulyOrphaned: number;
  readonly chOnly: number;
  readonly prefix: string;
  readonly cleanup: boolean;
}

const EXAMPLES = `
Examples:
  skein orphan-test-data --team-id 1
  skein orphan-test-data --team-id 1 --fixable 5 --truly-orphaned 3 --ch-only 2
  skein orphan-test-data --team-id 1 --prefix my-test
  skein orphan-test-data --team-id 1 --cleanup`;

/** A person in PostgreSQL and ClickHouse is one round trip each way; more than this is not test data any more. */
const MOST = 100_000;

export const orphanTestDataCommand: CommandFamily = {
  register(program, run) {
    const command: Command = program
      .command('orphan-test-data')
      .description(
        'Create orphaned persons of all three categories in a team, to try the orphan sync on; for development',
      )
      .requiredOption('--team-id <team>', 'the team that gets them', wholeNumber(1, Number.MAX_SAFE_INTEGER))
      .option('--fixable <count>', 'persons whose distinct ids are missing in ClickHouse', wholeNumber(0, MOST), 3)
      .option('--truly-orphaned <count>', 'persons without distinct ids in either database', wholeNumber(0, MOST), 2)
      .option('--ch-only <count>', 'persons that only ClickHouse has', wholeNumber(0, MOST), 2)
      .option('--prefix <text>', 'of the distinct ids; the cleanup finds by it what to remove', 'test-orphan')
      .option('--cleanup', 'remove what carries the prefix, from both databases, instead of creating', false)
      .option('--json', 'one JSON document on stdout')
      .addHelpText('after', EXAMPLES);
    command.action(() =>
      run(async (context) => {
        const options = command.opts<Options>();
        if (options.prefix.trim() === '' || options.prefix.length > 100) {
          throw new ConfigInvalidError('--prefix: write 1 to 100 characters; the cleanup removes what carries them.');
        }
        const [ch, persons] = [await context.open(clickhouse), await context.open(personsDb)];
        if (options.cleanup) {
          const removed = await cleanUpTestData(ch, persons, options.teamId, options.prefix);
          context.print(
            {
              team_id: options.teamId,
              prefix: options.prefix,
              postgres_persons_deleted: removed.postgresPersons,
              postgres_distinct_ids_deleted: removed.postgresDistinctIds,
              clickhouse_persons_deleted: removed.clickhousePersons,
              clickhouse_distinct_ids_deleted: removed.clickhouseDistinctIds,
            },
            () => [
              `Removed the test data “${options.prefix}” of team ${options.teamId}:`,
              `  PostgreSQL: ${removed.postgresPersons} persons, ${removed.postgresDistinctIds} distinct ids`,
              `  ClickHouse: ${removed.clickhousePersons} persons, ${removed.clickhouseDistinctIds} distinct ids marked as deleted`,
            ],
          );
          return;
        }
        const request: TestDataRequest = options;
        const made = await createTestData(ch, persons, request);
        const next = nextCommands(options);
        context.print(
          {
            team_id: options.teamId,
            prefix: options.prefix,
            fixable: made.fixable,
            truly_orphaned: made.trulyOrphaned,
            ch_only: made.chOnly,
            next_commands: next,
          },
          () => [
            `Created orphaned persons in team ${options.teamId}:`,
            ...line('fixable', made.fixable),
            ...line('truly orphaned', made.trulyOrphaned),
            ...line('ClickHouse only', made.chOnly),
            '',
            'Next:',
            ...next.map((text) => `  ${text}`),
          ],
        );
      }),
    );
  },
};

function line(category: string, ids: readonly string[]): string[] {
  const shown = ids.slice(0, 10).map((id) => id.slice(0, 8));
  return [
    `  ${String(ids.length).padStart(6)} ${category}${ids.length > 0 ? `: ${shown.join(', ')}${ids.length > 10 ? ', …' : ''}` : ''}`,
  ];
}

function nextCommands({ teamId, prefix }: Options): string[] {
  const sync = (config: string) =>
    `skein run sync_person_distinct_ids_job --config '{"team_id": ${teamId}${config}}' --wait`;
  const named =
    prefix === 'test-orphan'
      ? ''
      : ` --prefix ${/^[\w.-]+$/.test(prefix) ? prefix : `'${prefix.replaceAll("'", String.raw`'\''`)}'`}`;
  return [
    sync(''),
    sync(', "dry_run": false'),
    sync(', "dry_run": false, "delete_ch_only_orphans": true, "categorize_orphans": true'),
    `skein orphan-test-data --team-id ${teamId}${named} --cleanup`,
  ];
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,16}$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`Write a whole number from ${least} to ${most}.`);
    return value;
  };
}
