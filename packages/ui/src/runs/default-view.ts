/** How one person wants the list of runs to open: kept in this browser, until it is set otherwise. */

import { type Raw, textOf } from '../app/search.ts';

const KEY = 'skein.runs.view';

export interface View {
  readonly q?: string | undefined;
  readonly by?: string | undefined;
  readonly cols?: string | undefined;
}

export function readDefaultView(): View | undefined {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? 'null') as Raw | null;
    return kept === null ? undefined : { q: textOf(kept, 'q'), by: textOf(kept, 'by'), cols: textOf(kept, 'cols') };
  } catch {
    return undefined;
  }
}

/** Without one the list opens with all runs. */
export function keepDefaultView(view: View | undefined): void {
  try {
    if (view === undefined) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify(view));
  } catch {
    // Storage may be forbidden; then there is no view of one's own.
  }
}

export const isSameView = (one: View, other: View): boolean =>
  (one.q ?? '') === (other.q ?? '') && (one.by ?? '') === (other.by ?? '') && (one.cols ?? '') === (other.cols ?? '');
