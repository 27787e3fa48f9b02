/**
 * Is a backup whole and sound, judged from the file alone: its end is there, records have the shape that the engine
 * reads, indexes and records name each other, partition counters equal a recount of the states.
 */

import { STATE_VERSION } from '../../store/redis.ts';
import type { BackupHeader, BackupRecord } from './format.ts';
import { readBackup } from './format.ts';
import { type Tally, addStates, emptyTally, unequal } from './tally.ts';
import { runProblem, sensorProblem, tickProblem, unitProblem } from './shapes.ts';

export interface BackupReport {
  readonly createdAt: string;
  readonly records: number;
  readonly runs: number;
  readonly partitions: number;
  /** The first of them; empty when the backup is sound. */
  readonly problems: readonly string[];
  readonly problemCount: number;
}

const MAX_PROBLEMS = 50;

/** @throws BackupInvalidError when it cannot be read to its end */
export async function verifyBackup(file: string, password?: string): Promise<BackupReport> {
  const problems: string[] = [];
  let problemCount = 0;
  const report = (problem: string | undefined) => {
    if (problem === undefined) return;
    problemCount++;
    if (problems.length < MAX_PROBLEMS) problems.push(problem);
  };
  const ledger = emptyLedger();
  let records = 0;
  let header: BackupHeader | undefined;
  for await (const entry of readBackup(file, password)) {
    if ('skein_backup' in entry) header = entry;
    else {
      records++;
      report(take(ledger, entry));
    }
  }
  if (header && header.state_version > STATE_VERSION) report('it is of a newer ledger than this Skein knows');
  crossCheck(ledger, report);
  return {
    createdAt: header?.created_at ?? '',
    records,
    runs: ledger.runs.size,
    partitions: ledger.partitions,
    problems,
    problemCount,
  };
}

interface Ledger {
  readonly runs: Set<string>;
  readonly indexed: Set<string>;
  readonly units: Set<string>;
  readonly leases: string[];
  /** By `asset:row`. */
  readonly counted: Map<string, Tally>;
  readonly kept: Map<string, Tally>;
  /** By asset. */
  readonly totals: Map<string, Tally>;
  partitions: number;
}

function emptyLedger(): Ledger {
  return {
    runs: new Set(),
    indexed: new Set(),
    units: new Set(),
    leases: [],
    counted: new Map(),
    kept: new Map(),
    totals: new Map(),
    partitions: 0,
  };
}

/** What is wrong with the record by itself. */
function take(ledger: Ledger, { k, t, v }: BackupRecord): string | undefined {
  const fields = () => new Map(Array.from({ length: v.length / 2 }, (_, i) => [v[2 * i] ?? '', v[2 * i + 1] ?? '']));
  const [kind, ...rest] = k.split(':');
  const name = rest.join(':');
  if (kind === 'st') {
    const tally = emptyTally();
    ledger.partitions += addStates(tally, Buffer.from(v[0] ?? '', 'base64'));
    ledger.counted.set(name, tally);
  } else if (kind === 'cntr' || kind === 'cnt') {
    const target = kind === 'cntr' ? ledger.kept : ledger.totals;
    target.set(name, { ...emptyTally(), ...Object.fromEntries([...fields()].map(([f, n]) => [f, Number(n)])) });
  } else if (k === 'runs' && t === 'zset') {
    for (let i = 0; i < v.length; i += 2) ledger.indexed.add(v[i] ?? '');
  } else if (k === 'leases') {
    for (let i = 0; i < v.length; i += 2) ledger.leases.push(v[i] ?? '');
  } else if (kind === 'run' && rest.length === 1) {
    ledger.runs.add(name);
    return runProblem(name, fields());
  } else if (kind === 'u') {
    if (v[v.findIndex((text, i) => i % 2 === 0 && text === 'state') + 1] === 'RUNNING') ledger.units.add(name);
    return unitProblem(name, fields());
  } else if (kind === 'sensor' && rest.length === 1) {
    return sensorProblem(name, fields());
  } else if (kind === 'tick') {
    return tickProblem(name, fields());
  }
  return undefined;
}

function crossCheck(ledger: Ledger, report: (problem: string | undefined) => void): void {
  for (const id of ledger.runs) if (!ledger.indexed.has(id)) report(`run ${id} is in no index`);
  for (const id of ledger.indexed) if (!ledger.runs.has(id)) report(`run ${id} is indexed and has no record`);
  for (const attempt of ledger.leases) {
    if (!ledger.units.has(attempt.replace(/\.\d+$/, '')))
      report(`the lease of ${attempt} belongs to nothing that runs`);
  }
  const sums = new Map<string, Tally>();
  for (const row of new Set([...ledger.counted.keys(), ...ledger.kept.keys()])) {
    const counted = ledger.counted.get(row) ?? emptyTally();
    for (const field of unequal(counted, ledger.kept.get(row) ?? emptyTally()))
      report(`counter ${field} of the row ${row} differs from a recount of its states`);
    const asset = row.slice(0, row.indexOf(':'));
    const sum = sums.get(asset) ?? emptyTally();
    for (const field of Object.keys(sum) as (keyof Tally)[]) sum[field] += counted[field];
    sums.set(asset, sum);
  }
  for (const asset of new Set([...sums.keys(), ...ledger.totals.keys()])) {
    for (const field of unequal(sums.get(asset) ?? emptyTally(), ledger.totals.get(asset) ?? emptyTally()))
      report(`counter ${field} of the asset ${asset} differs from the sum of its rows`);
  }
}
