/** Growth of what is measured again and again: a straight line through it, and how sure that line is. Pure. */

export interface Point {
  readonly hours: number;
  readonly value: number;
}

export interface Growth {
  /** Of its mean, in an hour. */
  readonly percentPerHour: number;
  /** The standard error of that. */
  readonly error: number;
}

/** Least squares; of less than three points nothing can be said, which is an infinite error. */
export function growth(points: readonly Point[]): Growth {
  const n = points.length;
  if (n < 3) return { percentPerHour: 0, error: Infinity };
  const mean = (of: (point: Point) => number) => points.reduce((sum, point) => sum + of(point), 0) / n;
  const [hours, value] = [mean((point) => point.hours), mean((point) => point.value)];
  const spread = points.reduce((sum, point) => sum + (point.hours - hours) ** 2, 0);
  const slope = points.reduce((sum, point) => sum + (point.hours - hours) * (point.value - value), 0) / spread;
  const rest = points.reduce((sum, point) => sum + (point.value - value - slope * (point.hours - hours)) ** 2, 0);
  if (value === 0) return { percentPerHour: 0, error: 0 };
  return {
    percentPerHour: (100 * slope) / value,
    error: (100 * Math.sqrt(rest / (n - 2) / spread)) / value,
  };
}

/** Beyond what chance explains: two standard errors. */
export function growsFasterThan(limit: number, { percentPerHour, error }: Growth): boolean {
  return percentPerHour - 2 * error > limit;
}
