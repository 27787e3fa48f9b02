/** Confirmation of what cannot be undone: asked on a terminal, required as `--yes` without one. */

import { createInterface } from 'node:readline/promises';

import { type CommandContext, RefusedError } from '@skein/orchestrator';

/** @throws RefusedError when the answer is not yes, or nobody can be asked; nothing has been done then */
export async function confirm(context: CommandContext, yes: boolean, what: readonly string[]): Promise<void> {
  if (yes) return;
  for (const line of what) context.note(line);
  if (!process.stdin.isTTY) throw new RefusedError(`${what[0] ?? ''} Nothing was done: confirm it with --yes.`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question('Type yes to go on: ').finally(() => terminal.close());
  if (answer.trim() !== 'yes') throw new RefusedError('Nothing was done: the answer was not yes.');
}
