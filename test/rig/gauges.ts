/** What of a process must not grow: its heap after a collection, what it keeps open, its timers. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface Gauges {
  /** Bytes: JavaScript's own heap, and what lies outside of it for buffers. */
  readonly heap: number;
  readonly outside: number;
  /** Sockets, pipes, files, servers and threads; without timers. */
  readonly handles: number;
  readonly timers: number;
}

/** Whoever writes `gauges` to this process hears `gauges {…}`. */
export function answerGauges(): void {
  process.stdin.on('data', (line: Buffer) => {
    if (line.toString().trim() !== 'gauges') return;
    void readGauges().then((gauges) => process.stdout.write(`gauges ${JSON.stringify(gauges)}\n`));
  });
}

async function readGauges(): Promise<Gauges> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // What the first collection finalizes is let go of by the next.
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  const open = process.getActiveResourcesInfo();
  const timers = open.filter((one) => one === 'Timeout' || one === 'Immediate').length;
  return { heap: heapUsed, outside: external, handles: open.length - timers, timers };
}
