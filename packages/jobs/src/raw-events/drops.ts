/**
 * From a drop reason down to its events: what the partitions of a run remember (a count, and a few ids of each reason and
 * day), and the raw rows of these ids as ClickHouse still holds them.
 */

import type { RunDetail } from '@skein/orchestrator';
import { z } from 'zod';

import type { ClickHouse } from '../resources/clickhouse.ts';
import { tenantDays } from './config.ts';
import type { RawEventsSettings } from './settings.ts';
import { rowsByIdSql } from './sql.ts';

interface RawEvent {
  readonly raw_event_id: string;
  readonly environment_id: string;
  readonly external_customer_id: string;
  readonly event_name: string;
  readonly timestamp: string;
  readonly payload: string;
}

export interface Drop {
  readonly reason: string;
  readonly count: number;
  /** Some of them, and such as share their id and day. */
  readonly events: readonly RawEvent[];
}

/** Of each reason, over all days; a screenful. */
const MAX_EVENTS = 50;

const Remembered = z.object({
  drop_reasons: z.record(z.string(), z.int()).default({}),
  drop_examples: z.record(z.string(), z.array(z.string())).default({}),
});

/** Most frequent reason first. */
export async function dropsOf(
  run: Pick<RunDetail, 'partitions'>,
  clickhouse: ClickHouse,
  settings: RawEventsSettings,
): Promise<Drop[]> {
  const counts = new Map<string, number>();
  const examples = new Map<string, { tenant: string; day: string; id: string }[]>();
  for (const { key, metadata } of run.partitions) {
    const remembered = Remembered.safeParse(metadata);
    if (!remembered.success) continue;
    const { id: tenant, day } = tenantDays.parse(key);
    for (const [reason, count] of Object.entries(remembered.data.drop_reasons)) {
      counts.set(reason, (counts.get(reason) ?? 0) + count);
      const ids = remembered.data.drop_examples[reason] ?? [];
      examples.set(reason, [...(examples.get(reason) ?? []), ...ids.map((id) => ({ tenant, day, id }))]);
    }
  }
  const reasons = [...counts].sort((a, b) => b[1] - a[1]);
  return Promise.all(
    reasons.map(async ([reason, count]) => {
      const some = (examples.get(reason) ?? []).slice(0, MAX_EVENTS);
      const [first] = some;
      if (first === undefined) return { reason, count, events: [] };
      const { sql, params } = rowsByIdSql(settings, first.tenant, some, MAX_EVENTS);
      return { reason, count, events: await clickhouse.rows<RawEvent>(sql, { params }) };
    }),
  );
}
