/** The `services` and `schemas` commands by themselves, as a program that tests run. */

import { Command } from 'commander';

import { registerSchemas, registerServices } from '../src/index.ts';

const program = new Command('skein');
registerServices(program);
registerSchemas(program);
program.parseAsync(process.argv).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = (error as { exitCode?: number }).exitCode ?? 1;
});
