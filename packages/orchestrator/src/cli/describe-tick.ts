/** Ticks as the CLI shows them. Pure. */

import type { TickRecord } from '../api/reads/sensors.ts';
import type { Json } from '../definitions/json.ts';
import { shorten, table, time } from './terminal.ts';

export function tickJson(tick: TickRecord): { readonly [field: string]: Json } {
  return {
    tick: tick.id,
    status: tick.status,
    decision: tick.decision,
    reason: tick.reason,
    trigger: tick.trigger,
    started_at: tick.started_at,
    ended_at: tick.ended_at,
    runs: tick.run_ids,
    suppressed: tick.suppressed,
    suppressed_runs: tick.suppressed_run_ids,
    cursor_before: tick.cursor_before as Json,
    // A tick that leaves the cursor alone has no cursor after it.
    cursor_after: (tick.cursor_after ?? tick.cursor_before) as Json,
  };
}

export function tickTable(ticks: readonly TickRecord[]): string[] {
  return table(
    ['TICK', 'STARTED', 'DECISION', 'RUNS', 'REASON'],
    ticks.map((tick) => [
      tick.id,
      time(new Date(tick.started_at)),
      tick.decision,
      String(tick.requested),
      shorten(tick.reason, 80),
    ]),
  );
}
