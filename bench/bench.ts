/** What a bench gives: ours and the comparison, measured in turn in one run, several rounds. */

export interface BenchOptions {
  /** 1 by default; the work is that many times larger. */
  readonly scale: number;
  readonly rounds: number;
  /** Progress for people, on stderr. */
  readonly note: (line: string) => void;
}

export interface BenchRow {
  readonly work: string;
  /** Median of the rounds, in `unit`. */
  readonly ours: number;
  readonly other: number;
  /** What `other` is, such as `raw BullMQ jobs`. */
  readonly other_is: string;
  readonly unit: string;
  /** ours / other. */
  readonly ratio: number;
  /** Such as `≥ 0.3` or `≤ 1.2`, of the ratio; or null when the row only informs. */
  readonly target: string | null;
  readonly met: boolean | null;
  readonly rounds: number;
}

export interface Bench {
  readonly name: string;
  readonly summary: string;
  run(options: BenchOptions): Promise<readonly BenchRow[]>;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** A row with its ratio and verdict; `target` reads `≥ 0.3` or `≤ 1.2`. */
export function row(
  work: string,
  ours: readonly number[],
  other: readonly number[],
  facts: { readonly otherIs: string; readonly unit: string; readonly target?: string },
): BenchRow {
  const a = median(ours);
  const b = median(other);
  const ratio = b === 0 ? 0 : a / b;
  const target = facts.target ?? null;
  const limit = target === null ? Number.NaN : Number(target.replace(/[^\d.]/g, ''));
  const met = target === null ? null : target.startsWith('≥') ? ratio >= limit : ratio <= limit;
  return {
    work,
    ours: a,
    other: b,
    other_is: facts.otherIs,
    unit: facts.unit,
    ratio,
    target,
    met,
    rounds: ours.length,
  };
}
