/**
 * What a record becomes when it is restored. Every fencing epoch grows by a million, leases count as over, ticks under
 * way as lost: whoever still works for the old world is refused, and its work is given out again. Pure.
 */

import type { BackupRecord } from './format.ts';

/** More than any old world can catch up with between its backup and its end. */
export const EPOCH_STEP = 1_000_000;

/**
 * Where pulses find work. They are written last and together, so that a process that is not stopped sees nothing to do
 * in half a ledger.
 */
export const ENTRY_POINTS: ReadonlySet<string> = new Set('leases outbox ready delayed queues due bf:live'.split(' '));

export interface Move {
  readonly fromPrefix: string;
  readonly toPrefix: string;
  readonly nowMs: number;
}

export function asRestored(record: BackupRecord, move: Move): BackupRecord {
  const { k, v } = record;
  if (k.startsWith('u:')) return { ...record, v: mapPairs(v, unitField) };
  // Leases are over, and what was sent is sent again, both at the next pulse.
  if (k === 'leases' || k === 'outbox') return { ...record, v: mapPairs(v, (member) => [member, '0']) };
  if (/^sensor:[^:]+$/.test(k)) return { ...record, v: mapPairs(v, sensorField) };
  if (k.startsWith('tick:')) return { ...record, v: [...v, ...lostTick(v, move.nowMs)] };
  if (/^run:[^:]+$/.test(k))
    return {
      ...record,
      v: mapPairs(v, (field, value) => [
        field,
        field === 'parked' && value.startsWith(`${move.fromPrefix}:`)
          ? `${move.toPrefix}${value.slice(move.fromPrefix.length)}`
          : value,
      ]),
    };
  return record;
}

/** The pulse will count one loss for what ran, which is the restore's and not the work's. */
function unitField(field: string, value: string): readonly [string, string] {
  if (field === 'epoch') return [field, String(Number(value) + EPOCH_STEP)];
  return [field, field === 'lost' ? '-1' : value];
}

function sensorField(field: string, value: string): readonly [string, string] | undefined {
  if (field === 'tick' || field === 'tick_deadline') return undefined;
  return [field, field === 'tick_epoch' ? String(Number(value) + EPOCH_STEP) : value];
}

function lostTick(v: readonly string[], nowMs: number): string[] {
  const at = v.findIndex((text, i) => i % 2 === 0 && text === 'status');
  if (at < 0 || v[at + 1] !== 'STARTED') return [];
  const reason = 'The ledger was restored from a backup that was taken while this tick was evaluated.';
  return ['status', 'FAILURE', 'decision', 'timed_out', 'reason', reason, 'ended', String(nowMs)];
}

function mapPairs(
  v: readonly string[],
  change: (first: string, second: string) => readonly [string, string] | undefined,
): string[] {
  const out: string[] = [];
  for (let i = 0; i + 1 < v.length; i += 2) out.push(...(change(v[i] ?? '', v[i + 1] ?? '') ?? []));
  return out;
}
