/**
 * Skein beside Dagster from PyPI on the same work: empty runs, a backfill, a sensor that fans out, the states of 10,000
 * partitions. Each is started by its own `dev` command, with ten runs at once, on the same machine, one after another.
 */

import { type Bench, type BenchOptions, type BenchRow, row } from './bench.ts';
import type { Contestant } from './versus/contestant.ts';
import { startDagster } from './versus/dagster.ts';
import { startSkein } from './versus/skein.ts';

interface Measured {
  readonly runSeconds: number[];
  readonly runsPerSecond: number[];
  readonly tickSeconds: number[];
  readonly firstStates: number[];
  readonly laterStates: number[];
  readonly memoryMb: number[];
}

export const bench: Bench = {
  name: 'versus',
  summary: 'Skein beside Dagster: empty runs, a backfill, a sensor’s fan-out, partition states',
  async run({ scale, rounds, note }: BenchOptions): Promise<BenchRow[]> {
    // Dagster's runs take seconds each: the same rate is measured on fewer of them.
    const ours = await measure('Skein', startSkein, { runs: 20, backfill: 2_000 * scale, rounds, note });
    const theirs = await measure('Dagster', () => startDagster(note), { runs: 3, backfill: 20 * scale, rounds, note });
    const otherIs = 'Dagster';
    return [
      row('one empty run, launch to success', ours.runSeconds, theirs.runSeconds, { otherIs, unit: 's' }),
      row('empty runs of a backfill, 10 at once', ours.runsPerSecond, theirs.runsPerSecond, { otherIs, unit: '/s' }),
      row('a tick that asks for 100 runs', ours.tickSeconds, theirs.tickSeconds, { otherIs, unit: 's' }),
      row('states of 10,000 partitions, first time', ours.firstStates, theirs.firstStates, { otherIs, unit: 's' }),
      row('states of 10,000 partitions, later', ours.laterStates, theirs.laterStates, { otherIs, unit: 's' }),
      row('memory of its processes after it', ours.memoryMb, theirs.memoryMb, { otherIs, unit: 'MB' }),
    ];
  },
};

async function measure(
  name: string,
  start: () => Promise<Contestant>,
  size: { runs: number; backfill: number; rounds: number; note: (line: string) => void },
): Promise<Measured> {
  const it = await start();
  const measured: Measured = {
    ...{ runSeconds: [], runsPerSecond: [], tickSeconds: [] },
    ...{ firstStates: [], laterStates: [], memoryMb: [] },
  };
  const say = (what: string, values: readonly number[], unit: string) =>
    size.note(`${name}: ${what} ${values.map((value) => value.toPrecision(3)).join(', ')} ${unit}`);
  try {
    await it.emptyRun(); // both load their code with the first
    for (let i = 0; i < size.runs; i++) measured.runSeconds.push(await it.emptyRun());
    say('empty runs', measured.runSeconds, 's');
    for (let i = 0; i < size.rounds; i++)
      measured.runsPerSecond.push(Math.round(size.backfill) / (await it.backfill(Math.round(size.backfill))));
    say('backfills', measured.runsPerSecond, 'runs/s');
    measured.tickSeconds.push(await it.fanOut());
    say('the tick', measured.tickSeconds, 's');
    await it.fillPartitions();
    measured.firstStates.push(await it.partitionStates());
    for (let i = 0; i < 5; i++) measured.laterStates.push(await it.partitionStates());
    say('partition states', [...measured.firstStates, ...measured.laterStates], 's');
    measured.memoryMb.push(it.memoryBytes() / 2 ** 20);
    return measured;
  } finally {
    await it.stop();
  }
}
