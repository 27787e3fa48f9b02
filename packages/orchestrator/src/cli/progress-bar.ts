/** Progress of one run on stderr: a bar that is redrawn on a terminal, now and then a line elsewhere. */

import type { ListedRun } from './ports/runs.ts';
import { paintNote, shorten } from './terminal.ts';

export interface ProgressBar {
  /** Writes a line above the bar. */
  line(text: string): void;
  show(run: ListedRun): void;
  end(): void;
}

const WIDTH = 24;
/** A log file is no terminal: a line at most this often, and only when something moved. */
const LINE_EVERY_MS = 10_000;

export function createProgressBar(stream: NodeJS.WriteStream): ProgressBar {
  let drawn = '';
  let said = '';
  let saidAt = Number.NEGATIVE_INFINITY;
  const onTerminal = stream.isTTY === true;
  const clear = () => {
    if (onTerminal && drawn !== '') stream.write('\r\u001b[2K');
  };
  return {
    line(text) {
      clear();
      stream.write(`${text}\n`);
      if (onTerminal) stream.write(drawn);
    },
    show(run) {
      const text = describeProgress(run);
      if (onTerminal) {
        clear();
        drawn = `${drawBar(shareOf(run))} ${shorten(text, Math.max(20, stream.columns - WIDTH - 2))}`;
        stream.write(drawn);
      } else if (text !== said && performance.now() - saidAt >= LINE_EVERY_MS) {
        stream.write(`${text}\n`);
        said = text;
        saidAt = performance.now();
      }
    },
    end() {
      clear();
      drawn = '';
    },
  };
}

function drawBar(share: number): string {
  const full = Math.round(share * WIDTH);
  return `${paintNote.green('█'.repeat(full))}${paintNote.dim('░'.repeat(WIDTH - full))}`;
}

/** A run of one partition says how far it is itself; a run over many is as far as its partitions. Pure. */
function stepsOf(run: ListedRun): readonly [done: number, all: number] {
  const { total, materialized, failed, skipped } = run.counts;
  if (total <= 1 && run.progress !== undefined) return [run.progress.done, run.progress.total];
  return [materialized + failed + skipped, total];
}

function shareOf(run: ListedRun): number {
  const [done, all] = stepsOf(run);
  return all > 0 ? Math.min(1, done / all) : 0;
}

/** One line: how far, and what a waiting run waits for. Pure. */
export function describeProgress(run: ListedRun): string {
  const [done, all] = stepsOf(run);
  return [
    `${Math.floor(shareOf(run) * 100)} %`,
    all > 0 ? `${done}/${all}` : run.status.toLowerCase(),
    run.counts.failed > 0 ? `${run.counts.failed} failed` : '',
    run.blocked ?? run.progress?.note ?? '',
  ]
    .filter(Boolean)
    .join(' ');
}
