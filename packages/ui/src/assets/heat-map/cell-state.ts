/** A cell is one byte: outcome × 4 + activity. What it is called, and which group of the legend it is in. Pure. */

const OUTCOMES = ['missing', 'materialized', 'failed', 'skipped'] as const;
const ACTIVITIES = ['idle', 'queued', 'running', 'cancelling'] as const;

/** What the eye should see: what is going on before what was. */
export type CellState = (typeof OUTCOMES)[number] | Exclude<(typeof ACTIVITIES)[number], 'idle'>;

export const LEGEND: readonly CellState[] = [
  'materialized',
  'failed',
  'running',
  'queued',
  'skipped',
  'cancelling',
  'missing',
];

export function stateOf(cell: number): CellState {
  const activity = ACTIVITIES[cell & 3] ?? 'idle';
  return activity === 'idle' ? (OUTCOMES[(cell >> 2) & 3] ?? 'missing') : activity;
}
