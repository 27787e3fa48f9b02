/** Progress for people, on stderr: bars that redraw on a terminal, a line every few seconds elsewhere. */

interface Bar {
  readonly name: string;
  readonly done: number;
  readonly failed: number;
  readonly total: number;
}

export interface Progress {
  step(text: string): void;
  bars(bars: readonly Bar[]): void;
  end(): void;
}

const WIDTH = 30;
const LINE_EVERY_MS = 5_000;

export function createProgress(stream: NodeJS.WriteStream): Progress {
  let drawn = 0;
  let lastLine = 0;
  return {
    step(text) {
      stream.write(`${text}\n`);
    },
    bars(bars) {
      if (stream.isTTY) {
        if (drawn > 0) stream.write(`\u001b[${drawn}A`);
        for (const bar of bars) stream.write(`\u001b[2K${format(bar)}\n`);
        drawn = bars.length;
        return;
      }
      const now = performance.now();
      const complete = bars.every((bar) => bar.done + bar.failed >= bar.total);
      if (now - lastLine < LINE_EVERY_MS && !complete) return;
      lastLine = now;
      stream.write(`${bars.map((bar) => `${bar.name} ${bar.done}/${bar.total}`).join('   ')}\n`);
    },
    end() {
      drawn = 0;
    },
  };
}

function format({ name, done, failed, total }: Bar): string {
  const filled = total === 0 ? WIDTH : Math.floor((WIDTH * (done + failed)) / total);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)}`;
  return `${name.padEnd(34)} ${bar} ${String(done).padStart(5)}/${total}${failed > 0 ? `  ${failed} failed` : ''}`;
}
