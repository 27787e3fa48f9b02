/** Owns `skein services …`: progress on stderr, results on stdout. */

import { once } from 'node:events';
import { createReadStream, existsSync } from 'node:fs';

import { type Command, InvalidArgumentError, Option } from 'commander';

import { messageOf, ServicesError } from './errors.ts';
import type { ServiceName } from './service.ts';
import {
  parseServiceNames,
  readServicesEnv,
  servicesStatus,
  type ServiceStatus,
  startServices,
  stopServices,
} from './services.ts';
import { DEFAULT_DIR } from './state.ts';

interface Flags {
  readonly dir: string;
  readonly only?: readonly ServiceName[];
  readonly json?: boolean;
}

/** How an action is run; the command line passes one that maps errors to exit codes. */
export type RunAction = (action: () => Promise<void>) => Promise<void>;

export function registerServices(program: Command, run: RunAction = (action) => action()): Command {
  const services = program
    .command('services')
    .description(
      'the services embedded for demo, tests and development: Redis, PostgreSQL, ClickHouse, Kafka, S3, DuckLake',
    )
    .addHelpText('after', examples('skein services up', 'eval "$(skein services env)"', 'skein services down'));

  const add = (name: string, description: string, lines: readonly string[], action: (flags: Flags) => Promise<void>) =>
    services
      .command(name)
      .description(description)
      .option('--dir <dir>', 'where their state lies', DEFAULT_DIR)
      .addOption(
        new Option('--only <names>', 'some of redis,postgres,clickhouse,kafka,s3,ducklake').argParser(
          parseServiceNames,
        ),
      )
      .option('--json', 'one JSON object on stdout')
      .addHelpText('after', examples(...lines))
      .action((flags: Flags) => run(() => action(flags)));

  add(
    'up',
    'start what is not running and wait until all answer',
    [
      'skein services up',
      'skein services up --only redis,postgres --dir /tmp/trial',
      'skein services up --only s3   # a real S3 with STS instead of a directory',
    ],
    up,
  );
  add(
    'down',
    'stop what “up” started in this directory; its data stay',
    ['skein services down', 'skein services down --only kafka'],
    down,
  );
  add('status', 'what runs, where, and its log', ['skein services status', 'skein services status --json'], status);
  add(
    'env',
    'print the URLs as shell assignments; what the environment already sets wins',
    ['eval "$(skein services env)"', 'skein services env --json'],
    printEnv,
  );
  add('logs', 'print the logs of the services', ['skein services logs --only clickhouse'], logs);
  return services;
}

/** A wrong name is a mistake in the command, which commander reports with the option's name. */
export function namesFromArgument<T>(parse: (text: string) => T[]): (text: string) => T[] {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError(messageOf(error));
    }
  };
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

async function up(flags: Flags): Promise<void> {
  await startServices({ dir: flags.dir, ...(flags.only ? { only: flags.only } : {}), progress: note });
  if (flags.json) printJson({ services: shown(flags), env: readServicesEnv(flags.dir, process.env) });
  else printTable(shown(flags));
}

async function down(flags: Flags): Promise<void> {
  const stopped = await stopServices({ dir: flags.dir, ...(flags.only ? { only: flags.only } : {}) });
  if (flags.json) printJson({ stopped });
  else print(stopped.length > 0 ? `stopped: ${stopped.join(', ')}` : 'nothing was running');
}

function status(flags: Flags): Promise<void> {
  if (flags.json) printJson({ services: shown(flags) });
  else printTable(shown(flags));
  return Promise.resolve();
}

function shown(flags: Flags): ServiceStatus[] {
  return servicesStatus({ dir: flags.dir }).filter(({ service }) => flags.only?.includes(service) ?? true);
}

function printTable(rows: readonly ServiceStatus[]): void {
  for (const row of rows) {
    const where = row.port === null ? '' : `port ${row.port}, pid ${row.pid ?? '?'}`;
    print(`${row.service.padEnd(11)}${row.status.padEnd(11)}${where.padEnd(24)}${row.log ?? ''}`.trimEnd());
  }
}

function printEnv(flags: Flags): Promise<void> {
  const names = flags.only && new Set(shown(flags).flatMap((row) => row.variables));
  const env = Object.fromEntries(
    Object.entries(readServicesEnv(flags.dir, process.env)).filter(([name]) => names?.has(name) ?? true),
  );
  if (Object.keys(env).length === 0) {
    throw new ServicesError(
      'SERVICE_NOT_CONFIGURED',
      `No services are up in ${flags.dir}. Start them with “skein services up --dir ${flags.dir}”.`,
    );
  }
  if (flags.json) printJson(env);
  else for (const [name, value] of Object.entries(env)) print(`export ${name}=${quoted(value)}`);
  return Promise.resolve();
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

async function logs(flags: Flags): Promise<void> {
  const found = shown(flags).filter((row) => row.log !== null && existsSync(row.log));
  if (flags.json) {
    printJson({ logs: found.map(({ service, log }) => ({ service, log })) });
    return;
  }
  for (const { service, log } of found) {
    print(`==> ${service}: ${log}`);
    const stream = createReadStream(log as string);
    stream.pipe(process.stdout, { end: false });
    await once(stream, 'close');
  }
}
