/** How every command looks in help: a description, examples, and `--json`. */

import type { Command, CommandOptions } from 'commander';

import type { ServerFlags } from './remote/server.ts';
import { UsageError } from './usage-error.ts';

const JSON_OPTION = 'one JSON object on stdout';

/** A command that does something; `examples` are whole lines as one types them. */
export function leaf(
  parent: Command,
  nameAndArguments: string,
  description: string,
  examples: readonly string[],
  options: CommandOptions = {},
): Command {
  return withExamples(parent.command(nameAndArguments, options), examples)
    .description(description)
    .option('--json', JSON_OPTION);
}

/** For the command of a group that is meant when none is named. */
export const WHEN_NONE_IS_NAMED: CommandOptions = { isDefault: true };

/** A command that only holds others. */
export function group(parent: Command, name: string, description: string, examples: readonly string[]): Command {
  return withExamples(parent.command(name), examples).description(description);
}

export function withExamples(command: Command, examples: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`);
}

/** Commands of other packages that do something get `--json` where they did not declare it. */
export function completeFamily(command: Command): void {
  for (const child of command.commands) completeFamily(child);
  if (command.commands.length === 0 && !command.options.some((option) => option.long === '--json'))
    command.option('--json', JSON_OPTION);
}

const OVER_SERVER = new WeakSet<Command>();

/** A command that does the same through a server’s API, with the rights of a token, as with the ledger itself. */
export function overServer(command: Command): Command {
  OVER_SERVER.add(command);
  return command
    .option('--server <address>', 'through the API of this server instead of its Redis')
    .option('--token <reference>', 'where its token stands: env:NAME or file:PATH; default env:SKEIN_TOKEN');
}

/** Of the command line, for commands that take it. @throws UsageError for a token without a server */
export function serverFlagsOf(command: Command): ServerFlags | undefined {
  if (!OVER_SERVER.has(command)) return undefined;
  const { server, token } = command.opts<Partial<ServerFlags>>();
  if (server !== undefined) return { server, token };
  if (token !== undefined) throw new UsageError('--token is for a server: say which one with --server.');
  return undefined;
}
