/**
 * Time as a width: what a timeline draws lies between 0 and 1, and long times in which nothing happened take a sliver.
 * Pure.
 */

export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Axis {
  place(at: number): number;
  /** The time at a place: what a brush means. */
  timeAt(place: number): number;
  /** Times that were shortened. */
  readonly gaps: readonly Span[];
}

/** Of the whole: a gap that is shorter is drawn as it is. */
const GAP = 0.12;
/** What a gap is drawn as. */
const SLIVER = 0.025;

/** @param spans in which something happens; those between are the gaps */
export function axisOf({ from, to }: Span, spans: readonly Span[], isCollapsed: boolean): Axis {
  const whole = Math.max(to - from, 1);
  const gaps = isCollapsed ? gapsOf({ from, to }, spans).filter((gap) => gap.to - gap.from > GAP * whole) : [];
  const left = whole - gaps.reduce((sum, gap) => sum + gap.to - gap.from, 0);
  // Pieces of time one after the other, each with its width.
  const pieces: (Span & { readonly width: number })[] = [];
  let at = from;
  const share = (1 - SLIVER * gaps.length) / Math.max(left, 1);
  for (const gap of gaps) {
    pieces.push({ from: at, to: gap.from, width: (gap.from - at) * share }, { ...gap, width: SLIVER });
    at = gap.to;
  }
  pieces.push({ from: at, to: from + whole, width: (from + whole - at) * share });
  return {
    gaps,
    place(time) {
      let width = 0;
      for (const piece of pieces) {
        if (time <= piece.to)
          return width + piece.width * clamp((time - piece.from) / Math.max(piece.to - piece.from, 1));
        width += piece.width;
      }
      return 1;
    },
    timeAt(place) {
      let width = 0;
      for (const piece of pieces) {
        if (place <= width + piece.width && piece.width > 0)
          return piece.from + ((place - width) / piece.width) * (piece.to - piece.from);
        width += piece.width;
      }
      return from + whole;
    },
  };
}

function gapsOf({ from, to }: Span, spans: readonly Span[]): Span[] {
  const gaps: Span[] = [];
  let busyTo = from;
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    if (span.from > busyTo) gaps.push({ from: busyTo, to: Math.min(span.from, to) });
    busyTo = Math.max(busyTo, span.to);
  }
  if (to > busyTo) gaps.push({ from: busyTo, to });
  return gaps;
}

const clamp = (value: number) => Math.min(1, Math.max(0, value));
