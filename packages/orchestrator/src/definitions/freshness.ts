/** Freshness policies: how soon an asset's data must be there. Pure; whether they are is read from the ledger. */

import { CronExpressionParser } from 'cron-parser';

import { type Duration, parseDurationMs } from './duration.ts';
import { DefinitionInvalidError } from './errors.ts';

export interface FreshnessSpec {
  /**
   * Partitioned by time: after the end of each window, how soon it must be materialized. Otherwise: how old the data
   * may be.
   */
  readonly within: Duration;
  /** The data are looked for from these times on, instead of at every moment: what is due is what was due then. */
  readonly cron?: string;
  /** Of the cron expression; IANA name, default UTC. */
  readonly timeZone?: string;
}

export interface Freshness {
  readonly withinMs: number;
  readonly cron: string | undefined;
  readonly timeZone: string;
}

/** @throws DefinitionInvalidError when the duration, the expression or the time zone is malformed */
export function parseFreshness(spec: FreshnessSpec, asset: string): Freshness {
  const freshness = { withinMs: parseDurationMs(spec.within), cron: spec.cron, timeZone: spec.timeZone ?? 'UTC' };
  try {
    dueAt(freshness, new Date(0));
  } catch (error) {
    throw new DefinitionInvalidError(
      `Asset “${asset}”: its freshness has a malformed cron expression or time zone (${(error as Error).message}).`,
    );
  }
  return freshness;
}

/** The moment whose data must be there at `now`. */
export function dueAt({ withinMs, cron, timeZone }: Freshness, now: Date): Date {
  const latest = new Date(now.getTime() - withinMs);
  if (cron === undefined) return latest;
  // One that falls on the moment itself counts: what is due is what the last time at or before it asks for.
  return CronExpressionParser.parse(cron, { currentDate: new Date(latest.getTime() + 1), tz: timeZone })
    .prev()
    .toDate();
}
