/** Owns `skein schemas apply`: progress on stderr, the list of what is in place on stdout. */

import { type Command, Option } from 'commander';

import { ServicesError } from './errors.ts';
import { applySchemas, SCHEMA_NAMES, type SchemaName } from './schemas.ts';
import { namesFromArgument, type RunAction } from './services-command.ts';
import { readServicesEnv } from './services.ts';
import { DEFAULT_DIR } from './state.ts';

interface Flags {
  readonly dir: string;
  readonly only?: readonly SchemaName[];
  readonly json?: boolean;
}

export function registerSchemas(program: Command, run: RunAction = (action) => action()): Command {
  const schemas = program.command('schemas').description('the tables of the source systems, for development and tests');
  schemas
    .command('apply')
    .description('create them where they are missing; with Kafka also its topics and the tables that read them')
    .addOption(
      new Option('--only <names>', `some of ${SCHEMA_NAMES.join(',')}`).argParser(namesFromArgument(parseSchemaNames)),
    )
    .option('--dir <dir>', 'embedded services that are used where the environment gives no URL', DEFAULT_DIR)
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', '\nExamples:\n  skein schemas apply\n  skein schemas apply --only persons,events')
    .action((flags: Flags) => run(() => apply(flags)));
  return schemas;
}

async function apply(flags: Flags): Promise<void> {
  const env = { ...process.env, ...readServicesEnv(flags.dir, process.env) };
  const applied = await applySchemas({
    env,
    ...(flags.only ? { only: flags.only } : {}),
    progress: (line) => process.stderr.write(`${line}\n`),
  });
  process.stdout.write(flags.json ? `${JSON.stringify({ applied })}\n` : `${applied.length} parts are in place\n`);
}

function parseSchemaNames(text: string): SchemaName[] {
  return text.split(',').map((part) => {
    const known = SCHEMA_NAMES.find((name) => name === part.trim());
    if (known !== undefined) return known;
    throw new ServicesError(
      'SERVICE_UNKNOWN',
      `There is no schema “${part.trim().slice(0, 40)}”. Known: ${SCHEMA_NAMES.join(', ')}.`,
    );
  });
}
