/** What a preview says, in words. */

import type { PreviewTick } from '../api/generated/client.ts';

/** From this many runs on the sensor's name must be typed. */
export const MANY_RUNS = 1_000;

export interface Preview {
  readonly ticks: readonly PreviewTick[];
  readonly requests_total: number;
  readonly suppressed_total?: number;
  readonly cut: boolean;
}

export function summaryOf({ ticks, requests_total: total, suppressed_total: suppressed = 0 }: Preview): string {
  const partitions = ticks.flatMap((tick) => tick.requests.flatMap((request) => request.partitions)).length;
  const span = ticks.length === 1 ? 'It' : `In ${ticks.length} ticks it`;
  if (total === 0) return `${span} would request nothing: ${ticks.at(-1)?.skip_reason ?? 'it gives no reason'}.`;
  const also =
    suppressed > 0 ? `; ${suppressed.toLocaleString('en')} of them were asked for before and would be suppressed` : '';
  return `${span} would request ${total.toLocaleString('en')} ${total === 1 ? 'run' : 'runs'} over ${partitions.toLocaleString('en')} partitions${also}.`;
}
