/** `skein server`: the API and the dashboard; it pulses, but works nothing itself. */

import type { Command } from 'commander';

import { leaf } from '../help.ts';
import { INTERRUPTED, untilSignal } from '../interrupts.ts';
import { wholeNumber } from '../parse-arguments.ts';
import type { RunAction, Session } from '../session.ts';
import { catchStrayErrors } from '../stray-errors.ts';

export interface ListenFlags {
  readonly host?: string;
  readonly port?: number;
}

export function registerServer(program: Command, run: RunAction): void {
  listening(leaf(program, 'server', 'the API and the dashboard', ['skein server', 'skein server --port 8080'])).action(
    (flags: ListenFlags) => run((session) => serve(session, flags)),
  );
}

export function listening(command: Command): Command {
  return command
    .option('--host <address>', 'where to listen; default SKEIN_HOST or 127.0.0.1')
    .option('--port <n>', 'default SKEIN_PORT or 3070; 0 takes a free one', wholeNumber(0, 65_535));
}

async function serve(session: Session, flags: ListenFlags): Promise<void> {
  const [{ startServer }, { startUpkeep }] = await Promise.all([
    import('../../api/server.ts'),
    import('../../history/upkeep.ts'),
  ]);
  const [engine, log, resources] = await Promise.all([session.engine(), session.log(), session.resources()]);
  catchStrayErrors(log);
  const server = await startServer(engine, { ...flags, log, resources });
  const upkeep = startUpkeep(engine, log);
  session.print({ url: server.url }, () => [`Skein is at ${server.url}`]);
  const signal = await untilSignal(session.interrupts);
  session.note('Stopping …');
  await upkeep.stop();
  await server.close();
  if (signal === 'SIGINT') session.endWith(INTERRUPTED);
}
