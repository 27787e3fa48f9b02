/** Options that the `skein labels` commands share, read and checked. */

import { type CommandContext, ConfigInvalidError, type Logger, addDays, dayStart, isDay } from '@skein/orchestrator';

import { appDb } from '../resources/postgres.ts';
import { clickhouse } from '../resources/clickhouse.ts';
import { LabelConversationsConfig, type Selection, parseInstant } from './config.ts';
import type { Work } from './prepare.ts';
import type { Window } from './windows.ts';

export interface RangeOptions {
  readonly customer: string;
  readonly from: string;
  readonly to: string;
  readonly selection: Selection;
  readonly cluster?: string;
}

/**
 * Days are both included, as in every command of Skein; instants are half-open, as in the config.
 * @throws ConfigInvalidError that names the option
 */
export function windowOf({ from, to }: Pick<RangeOptions, 'from' | 'to'>): Window {
  const startMs = isDay(from) ? dayStart(from).getTime() : parseInstant(from);
  const endMs = isDay(to) ? dayStart(addDays(to, 1)).getTime() : parseInstant(to);
  if (startMs === undefined)
    throw new ConfigInvalidError(
      `--from “${from.slice(0, 40)}” is neither a day (2026-01-01) nor an RFC 3339 instant.`,
    );
  if (endMs === undefined)
    throw new ConfigInvalidError(`--to “${to.slice(0, 40)}” is neither a day (2026-01-31) nor an RFC 3339 instant.`);
  if (startMs >= endMs) throw new ConfigInvalidError(`--to ${to} lies before --from ${from}.`);
  return { startMs, endMs };
}

/** What a command works with outside of a run: what the labelling logs goes to the terminal when it matters. */
export async function commandWork(
  context: CommandContext,
  options: Pick<RangeOptions, 'selection' | 'cluster'>,
  runId: string,
): Promise<Work> {
  const quiet = () => {};
  const log: Logger = {
    debug: quiet,
    info: quiet,
    warn: (message) => context.note(message),
    error: (message) => context.note(message),
  };
  return {
    db: await context.open(appDb),
    clickhouse: await context.open(clickhouse),
    signal: new AbortController().signal,
    log,
    config: configOf(options),
    runId,
    regular: false,
    phase: (_name, work) => work(),
    event: quiet,
  };
}

/** @throws ConfigInvalidError that names the option */
function configOf({ selection, cluster }: Pick<RangeOptions, 'selection' | 'cluster'>): LabelConversationsConfig {
  const read = LabelConversationsConfig.safeParse({ selection, cluster: cluster ?? null });
  if (read.success) return read.data;
  const what = read.error.issues.map((issue) => `--${issue.path.join('.')} ${issue.message}`).join('; ');
  throw new ConfigInvalidError(`${what}.`);
}
