/** `skein ducklings …`: the catalog of ducklings, their permissions, orphaned objects, and the reset. */

import type { CommandContext, CommandFamily } from '@skein/orchestrator';
import { type Command, InvalidArgumentError } from 'commander';

import { type RowFlags, addDuckling, editDuckling, listDucklings, removeDuckling } from './command-catalog.ts';
import { checkDucklings, resetOne, showOrphans } from './command-operations.ts';

type Action<F> = (context: CommandContext, flags: F) => Promise<void>;

export const ducklingsCommand: CommandFamily = {
  register(program, run) {
    const ducklings = program
      .command('ducklings')
      .description('ducklings: the teams’ own DuckLakes; list, add, edit, remove, check, orphans, reset')
      .addHelpText(
        'after',
        examples('skein ducklings list', 'skein ducklings check --team-id 2', 'skein ducklings orphans --team-id 2'),
      );
    const leaf = <F>(name: string, description: string, lines: readonly string[], action: Action<F>): Command => {
      const command = ducklings
        .command(name)
        .description(description)
        .option('--json', 'one JSON object on stdout')
        .addHelpText('after', examples(...lines));
      return command.action(() => run((context) => action(context, command.opts() as F)));
    };

    leaf(
      'list',
      'all ducklings, without secrets',
      ['skein ducklings list', 'skein ducklings list --json'],
      listDucklings,
    );
    rowOptions(
      leaf<RowFlags>(
        'add',
        'a new duckling; the sensors pick it up by themselves',
        [
          'skein ducklings add --team-id 2 --bucket acme-lake --db-host db.acme.example --db-username skein --password-env ACME_LAKE_PASSWORD',
          'skein ducklings add --team-id 2 --bucket acme-lake --db-host db.acme.example --db-username skein --password-file /run/secrets/acme \\',
          '    --role-arn arn:aws:iam::123456789012:role/acme-lake --external-id 8f2a',
        ],
        addDuckling,
      ),
    );
    rowOptions(
      leaf<RowFlags>(
        'edit',
        'change what is given, keep the rest',
        ['skein ducklings edit --team-id 2 --disable', 'skein ducklings edit --team-id 2 --db-host new.acme.example'],
        editDuckling,
      ),
    );
    teamOption(
      leaf(
        'remove',
        'forget the duckling; its lake and objects stay',
        ['skein ducklings remove --team-id 2 --yes'],
        removeDuckling,
      ),
    ).option('--yes', 'do not ask');
    leaf(
      'check',
      'try every permission and say which one fails; exit 1 when one does',
      ['skein ducklings check --team-id 2', 'skein ducklings check --json'],
      checkDucklings,
    ).option('--team-id <team>', 'only this one; default all', teamId);
    teamOption(
      leaf(
        'orphans',
        'exports that no catalog refers to',
        ['skein ducklings orphans --team-id 2', 'skein ducklings orphans --team-id 2 --older-than 7d --delete --yes'],
        showOrphans,
      ),
    )
      .option('--older-than <duration>', 'the grace period, such as 90m, 24h or 7d', '24h')
      .option('--delete', 'delete them; registered files are never touched')
      .option('--yes', 'do not ask');
    teamOption(
      leaf(
        'reset',
        'DANGER: drop the lake’s tables, forget the team’s partitions, and let the sensors begin anew',
        ['skein ducklings reset --team-id 2', 'skein ducklings reset --team-id 2 --yes --json'],
        resetOne,
      ),
    ).option('--yes', 'do not ask');
  },
};

function teamOption(command: Command): Command {
  return command.requiredOption('--team-id <team>', 'whose duckling', teamId);
}

function rowOptions(command: Command): Command {
  return teamOption(command)
    .option('--bucket <name>', 'where its objects lie')
    .option('--bucket-region <region>', 'default us-east-1')
    .option('--db-host <host>', 'of the PostgreSQL catalog')
    .option('--db-port <port>', 'default 5432', wholeNumber)
    .option('--db-name <name>', 'default ducklake')
    .option('--db-username <name>', 'of the PostgreSQL catalog')
    .option('--password-env <name>', 'the environment variable of the workers that holds the password')
    .option('--password-file <path>', 'the file on the workers that holds the password')
    .option('--role-arn <arn>', 'the role in the customer’s account that Skein assumes; empty for none')
    .option('--external-id <id>', 'what the role’s trust policy asks for; empty for none')
    .option('--enable', 'let the sensors work on it')
    .option('--disable', 'let the sensors leave it alone');
}

function teamId(text: string): number {
  if (!/^[1-9]\d{0,15}$/.test(text)) throw new InvalidArgumentError('Write a positive whole number.');
  return Number(text);
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Write a whole number.');
  return Number(text);
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
