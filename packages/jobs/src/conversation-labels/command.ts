/**
 * `skein labels`: verification of any range, where a backfill stands, and the few things that a person does by hand: a
 * day reset, a customer freed, a backfill asked for with its numbers shown first, a database moved to the new layout.
 */

import type { CommandContext, CommandFamily } from '@skein/orchestrator';
import { type Command, InvalidArgumentError, Option } from 'commander';

import { backfill, migrate, release, reset } from './command-actions.ts';
import { type RangeOptions, commandWork, windowOf } from './command-options.ts';
import { showStatus } from './command-status.ts';
import { asJson } from './verification.ts';
import { verifyCustomer } from './verify-customer.ts';
import { describeVerification } from './verification-text.ts';

interface VerifyCommandOptions extends RangeOptions {
  readonly tolerance: number;
  readonly excludeIngestion?: boolean;
}

export const labelsCommand: CommandFamily = {
  register(program, run) {
    const family = program.command('labels').description('Conversation labels: verify, relabel, look after');
    const add = <O>(command: Command, action: (context: CommandContext, options: O) => Promise<void>) =>
      command
        .option('--json', 'the result as one JSON document')
        .action(() => run((context) => action(context, command.opts<O & object>())));

    add<VerifyCommandOptions>(
      ranged(
        family
          .command('verify')
          .description('Compare labels with the source, row by row; exit code 1 when anything is wrong'),
      )
        .option(
          '--tolerance <percent>',
          'how far counts may differ (points days and usecases); rows never may',
          percent,
          0,
        )
        .option('--exclude-ingestion', 'Active Days count conversations of source 0 only')
        .addHelpText('after', EXAMPLES),
      verifyAction,
    );
    add(
      customer(family.command('status').description('Days of a customer by outcome, who holds it, what was left open'))
        .option('--from <day>')
        .option('--to <day>'),
      showStatus,
    );
    add(
      customer(
        family.command('reset').description('Set one finished day back to missing, so that a backfill does it again'),
      ).requiredOption('--day <day>'),
      reset,
    );
    add(customer(family.command('release').description('Free a customer whose holder has ended')), release);
    add(
      ranged(
        family.command('backfill').description('Relabel a range in one run: shows what it would do, asks, launches'),
      )
        .addOption(new Option('--mode <mode>', 'how rows are replaced').choices(['delete-insert', 'swap']))
        .option('--dry-run', 'only show what it would do')
        .option('--yes', 'do not ask')
        .option('--wait', 'wait for the end of the run'),
      backfill,
    );
    add(
      customer(
        family
          .command('migrate-layout')
          .description('Move the customer’s tables to the layout in which later rows replace earlier ones'),
      ).option('--yes', 'do not ask'),
      migrate,
    );
  },
};

const EXAMPLES = `
Days are both included; RFC 3339 instants are half-open.

Examples:
  skein labels verify --customer alaska-air --from 2026-01-01 --to 2026-02-18
  skein labels verify --customer alaska-air --from 2026-02-10T00:00:00Z --to 2026-02-10T06:00:00Z --json`;

function customer(command: Command): Command {
  return command.requiredOption('--customer <id>', 'exactly as in app.profiles');
}

function ranged(command: Command): Command {
  return customer(command)
    .requiredOption('--from <day>', 'first day, or an instant')
    .requiredOption('--to <day>', 'last day, or an instant')
    .addOption(
      new Option('--selection <column>', 'which time of a conversation counts')
        .choices(['ended_at', 'created_at'])
        .default('ended_at'),
    )
    .option('--cluster <name>', 'the ClickHouse cluster of the tables');
}

function percent(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 100))
    throw new InvalidArgumentError('write a number from 0 to 100.');
  return value;
}

async function verifyAction(context: CommandContext, options: VerifyCommandOptions): Promise<void> {
  const window = windowOf(options);
  const work = await commandWork(context, options, 'verify');
  const found = await verifyCustomer(work, options.customer, [window], new Date(), {
    tolerancePercent: options.tolerance,
    excludeIngestion: options.excludeIngestion ?? false,
  });
  const passed = found.every((verification) => verification.passed);
  context.print({ customer: options.customer, passed, databases: found.map(asJson) }, () =>
    found.flatMap(describeVerification),
  );
  context.exitWith(passed ? 0 : 1);
}
