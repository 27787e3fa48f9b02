/**
 * The `skein` command: finds the deployment, hears what is asked, runs it, says what went wrong and ends with the exit
 * code of the contract: 0 done, 1 the work failed, 2 the request was wrong, 3 a service cannot be reached, 130
 * interrupted.
 */

import { CommanderError } from 'commander';

import type { Deployment, Environment } from '../definitions/deployment.ts';
import { type Scrub, createScrub } from '../telemetry/scrub.ts';
import { readGlobalFlags } from './global-flags.ts';
import { serverFlagsOf } from './help.ts';
import { installInterrupts } from './interrupts.ts';
import { loadDeployment } from './load-deployment.ts';
import { buildProgram } from './program.ts';
import type { RemoteServer } from './remote/server.ts';
import { type ErrorReport, describeFailure } from './report-error.ts';
import { type RunAction, openSession } from './session.ts';
import { paintNote } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** Gives the exit code and sets it; a reader that closed our stdout is not an error. */
export async function main(argv: readonly string[]): Promise<number> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  const flags = readGlobalFlags(argv);
  const interrupts = installInterrupts();
  const loaded = await load();
  let code: number = 0;
  let server: RemoteServer | undefined;
  const run: RunAction = async (action) => {
    const { session, close } = openSession({
      env: process.env,
      json: flags.json,
      allowUnsafeRedis: flags.allowUnsafeRedis,
      interrupts,
      loadDeployment: () => {
        if (loaded.deployment) return loaded.deployment;
        throw loaded.error;
      },
      server,
      endWith: (ended) => (code = ended),
    });
    try {
      await action(session);
    } finally {
      await close();
    }
  };
  try {
    const program = buildProgram(run, loaded.deployment);
    program.hook('preAction', async (_program, command) => {
      const flags = serverFlagsOf(command);
      if (flags) server = (await import('./remote/server.ts')).connectServer(flags, process.env);
    });
    await program.parseAsync([...flags.rest], { from: 'user' });
  } catch (error) {
    code = settle(error, loaded, flags.json);
  }
  process.exitCode = code;
  return code;
}

interface Loaded {
  readonly deployment?: Deployment;
  readonly error?: unknown;
}

/** Help must work where the configuration does not; commands that need it say what is wrong with it. */
async function load(): Promise<Loaded> {
  try {
    return { deployment: await loadDeployment(process.cwd()) };
  } catch (error) {
    return { error };
  }
}

function settle(error: unknown, loaded: Loaded, json: boolean): number {
  const scrub = createScrub(environmentOf(loaded));
  if (!(error instanceof CommanderError)) return tell(error, json, scrub);
  if (error.exitCode === 0) return 0; // help or version was asked for and printed
  // A command of a job family is unknown only because its configuration did not load.
  if (error.code === 'commander.unknownCommand' && loaded.error !== undefined) return tell(loaded.error, json, scrub);
  if (error.code === 'commander.help') return 2; // a group without a command: its help was printed
  return tell(new UsageError(sentence(error.message), { hint: 'See “skein --help”.' }), json, scrub);
}

/** With what the deployment fills in, whose secrets must not be shown either. */
function environmentOf({ deployment }: Loaded): Environment {
  try {
    return deployment?.environment(process.env) ?? process.env;
  } catch {
    return process.env; // filling it in is what failed
  }
}

function sentence(message: string): string {
  const text = message.replace(/^error: /, '').trim();
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function tell(error: unknown, json: boolean, scrub: Scrub): number {
  const report = describeFailure(error, scrub);
  if (json) process.stdout.write(`${JSON.stringify({ error: toJson(report) })}\n`);
  process.stderr.write(`${paintNote.red('error')} ${report.message} ${paintNote.dim(`[${report.code}]`)}\n`);
  if (report.hint !== null) process.stderr.write(`${report.hint}\n`);
  if (report.stack !== undefined && process.env.SKEIN_DEBUG === '1') process.stderr.write(`${report.stack}\n`);
  return report.exitCode;
}

function toJson({ code, message, hint, details }: ErrorReport) {
  return { code, message, hint, details };
}
