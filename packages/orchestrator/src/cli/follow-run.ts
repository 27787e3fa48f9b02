/**
 * Waits for a run: its log lines and events go to stderr as they come, with its progress. Ctrl-C asks the run to cancel
 * and waits for its end; a second Ctrl-C leaves at once. Both end with 130.
 */

import type { RunDetail, RunEvent } from '../definitions/client.ts';
import { printable } from '../telemetry/lines.ts';
import { INTERRUPTED } from './interrupts.ts';
import type { RunsPort } from './ports/runs.ts';
import { type ProgressBar, createProgressBar } from './progress-bar.ts';
import type { Session } from './session.ts';
import { paintNote } from './terminal.ts';

const LOOK_EVERY_MS = 1_000;

/** Gives the ended run and settles the exit code: 0 on success, 1 otherwise, 130 when interrupted. */
export async function followToEnd(session: Session, runs: RunsPort, runId: string): Promise<RunDetail> {
  const bar = createProgressBar(process.stderr);
  let interrupted = false;
  const giveBack = session.interrupts.take(() => {
    interrupted = true;
    bar.line(`Cancelling run ${runId}; press Ctrl-C again to leave it alone.`);
    runs.cancel(runId).catch((error: unknown) => bar.line(String(error)));
  });
  const worker = await runs.work();
  const looking = setInterval(() => {
    void runs
      .glance(runId)
      .then((run) => bar.show(run))
      .catch(() => {});
  }, LOOK_EVERY_MS);
  try {
    await runs.follow(runId, (event) => sayEvent(bar, event));
  } finally {
    clearInterval(looking);
    bar.end();
    giveBack();
    await worker.stop();
  }
  const run = await runs.read(runId);
  session.endWith(interrupted ? INTERRUPTED : run.status === 'SUCCESS' ? 0 : 1);
  return run;
}

/** Successes are counted by the bar; a run over 10,000 partitions must not write 10,000 lines. */
const QUIET = new Set([
  'partition.materialized',
  'partition.skipped',
  'partition.rehearsed',
  'run.queued',
  'unit.started',
  'unit.ended',
]);

function sayEvent(bar: ProgressBar, event: RunEvent): void {
  if (!QUIET.has(event.type)) bar.line(eventLine(event));
}

/** `19:30:05 info  read 1200 rows  rows=1200`; what a run's code wrote moves no cursor of the terminal. */
export function eventLine(event: RunEvent): string {
  const at = paintNote.dim(event.at.toISOString().slice(11, 19));
  const { attempt: _attempt, ...fields } = event.fields;
  if (event.type !== 'log') return `${at} ${paintNote.cyan('event')} ${printable(event.type)}${fieldsText(fields)}`;
  const level = String(fields.level);
  const paint = { error: paintNote.red, warn: paintNote.yellow, debug: paintNote.dim }[level] ?? paintNote.green;
  return `${at} ${paint(level.padEnd(5))} ${printable(String(fields.message))}${fieldsText(fields.fields)}`;
}

function fieldsText(fields: unknown): string {
  if (typeof fields !== 'object' || fields === null) return '';
  return Object.entries(fields)
    .map(
      ([name, value]) =>
        ` ${paintNote.dim(`${name}=`)}${printable(typeof value === 'string' ? value : JSON.stringify(value))}`,
    )
    .join('');
}
