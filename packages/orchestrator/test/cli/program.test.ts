import type { Command } from 'commander';

import { buildProgram } from '../../src/cli/program.ts';

/** Every command that does something, by its whole name. */
function leaves(command: Command, name = ''): [string, Command][] {
  const own: [string, Command][] =
    command.commands.length === 0 || command.registeredArguments.length > 0 ? [[name, command]] : [];
  return [...own, ...command.commands.flatMap((child) => leaves(child, `${name} ${child.name()}`.trim()))];
}

const program = buildProgram(() => Promise.resolve(), undefined);

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => void (text += part) });
  command.outputHelp();
  return text;
}

test('the contract’s commands are there', () => {
  const names = leaves(program).map(([name]) => name);
  for (const name of [
    'dev',
    'server',
    'worker',
    'check',
    'run',
    'runs list',
    'runs show',
    'runs logs',
    'runs cancel',
    'runs retry',
    'backfill',
    'backfills list',
    'backfills show',
    'backfills pause',
    'backfills resume',
    'backfills cancel',
    'backfills retry',
    'sensors list',
    'sensors show',
    'sensors start',
    'sensors stop',
    'sensors preview',
    'sensors tick',
    'sensors cursor get',
    'sensors cursor set',
    'sensors cursor reset',
    'sensors cursor history',
    'sensors cursor undo',
    'partitions',
    'partitions forget',
    'partitions mark',
    'assets list',
    'assets show',
    'jobs list',
    'jobs show',
    'schedules list',
    'schedules show',
    'pools list',
    'pools show',
    'pools set',
    'doctor',
  ]) {
    expect(names).toContain(name);
  }
});

test.each(leaves(program))('%s has a description, examples that are its own, and --json', (name, command) => {
  const help = helpOf(command);
  expect(command.description()).not.toBe('');
  expect(help).toContain('--json');
  const [, examples = ''] = help.split('Examples:');
  expect(examples).toContain(`skein ${name}`);
});

test('examples parse: every option that they use exists', () => {
  for (const [name, command] of leaves(program)) {
    const [, examples = ''] = helpOf(command).split('Examples:');
    const subcommands = command.commands.map((child) => `skein ${name} ${child.name()}`);
    const mine = (text: string) =>
      text.trim().startsWith(`skein ${name}`) && !subcommands.some((other) => text.trim().startsWith(other));
    for (const line of examples.split('\n').filter(mine)) {
      for (const [option] of line.matchAll(/--[a-z-]+/g))
        expect(command.options.map(({ long }) => long)).toContain(option);
    }
  }
});
