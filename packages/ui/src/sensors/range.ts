/** The range of a sensor's timeline as it stands in the address: `24h` stays relative, `FROM..TO` is fixed. Pure. */

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

export const RANGES = ['1h', '24h', '7d'] as const;

export interface Range {
  readonly fromMs: number;
  readonly toMs: number;
  /** Ends with now and moves on with it. */
  readonly isRelative: boolean;
}

/** Undefined for what is no range: everything is shown then. */
export function readRange(text: string | undefined, nowMs: number): Range | undefined {
  const relative = /^(\d{1,4})([mhd])$/.exec(text ?? '');
  if (relative)
    return { fromMs: nowMs - Number(relative[1]) * (UNITS[relative[2] ?? ''] ?? 0), toMs: nowMs, isRelative: true };
  const [from = '', to = ''] = (text ?? '').split('..');
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
  return fromMs < toMs ? { fromMs, toMs, isRelative: false } : undefined;
}

export const rangeText = (fromMs: number, toMs: number): string =>
  `${new Date(fromMs).toISOString()}..${new Date(toMs).toISOString()}`;

interface Mark {
  readonly at: string;
  readonly decision: string;
  readonly duration_ms: number | null;
}

export interface Bar {
  readonly x: number;
  readonly ticks: number;
  /** The most severe decision of those that share the bar. */
  readonly decision: string;
  readonly longestMs: number;
  readonly fromMs: number;
  readonly toMs: number;
}

const SEVERITY = ['skipped', 'running', 'acted', 'requested', 'suppressed', 'timed_out', 'failed'];

/** Ticks over a width, those that would lie on top of each other merged. */
export function barsOf(
  marks: readonly Mark[],
  range: Pick<Range, 'fromMs' | 'toMs'>,
  width: number,
  step: number,
): Bar[] {
  const bars = new Map<number, Bar>();
  const scale = width / Math.max(1, range.toMs - range.fromMs);
  for (const mark of marks) {
    const at = Date.parse(mark.at);
    if (at < range.fromMs || at > range.toMs) continue;
    const slot = Math.min(Math.floor(width / step) - 1, Math.floor(((at - range.fromMs) * scale) / step));
    const known = bars.get(slot);
    const isWorse = !known || SEVERITY.indexOf(mark.decision) > SEVERITY.indexOf(known.decision);
    bars.set(slot, {
      x: slot * step,
      ticks: (known?.ticks ?? 0) + 1,
      decision: isWorse ? mark.decision : known.decision,
      longestMs: Math.max(known?.longestMs ?? 0, mark.duration_ms ?? 0),
      fromMs: Math.min(known?.fromMs ?? at, at),
      toMs: Math.max(known?.toMs ?? at, at),
    });
  }
  return [...bars.values()].sort((a, b) => a.x - b.x);
}
