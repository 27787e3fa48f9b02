/**
 * What one job family brings to the demo: data with the troubles that it cures, how it is launched, and a comparison
 * with the source at the end. The demo's main runs all parts through a real Skein.
 */

import type { ClickHouse, PersonsDb, Publisher } from '@skein/jobs';
import type { Json, SkeinClient } from '@skein/orchestrator';
import type pg from 'pg';

export interface DemoContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clickhouse: ClickHouse;
  readonly personsDb: PersonsDb;
  readonly appDb: pg.Pool;
  readonly publisher: Publisher;
  readonly client: SkeinClient;
  /** 1 by default; the sample is that many times larger. */
  readonly scale: number;
  /** The demo's "today": data lie in the days before it. */
  readonly now: Date;
  /** Starts a sensor, with a cursor where one is given. */
  startSensor(name: string, cursor?: Json): Promise<void>;
}

export interface DemoDetail {
  readonly partition: string;
  readonly [fact: string]: Json | undefined;
}

export interface DemoVerdict {
  /** True only when the data were compared with their source, partition by partition, and agree. */
  readonly verified: boolean;
  readonly after: { readonly [fact: string]: Json };
  readonly details: readonly DemoDetail[];
}

export interface DemoPart {
  /** The asset whose partitions are shown. */
  readonly asset: string;
  /** Facts for the table's "before", such as `{ "orphans": 42 }`. */
  before(context: DemoContext): Promise<{ readonly [fact: string]: Json }>;
  /** Makes the sample, reproducibly from a seed, set-based (seconds, not minutes); does nothing when it is there. */
  load(context: DemoContext): Promise<void>;
  /** The partition keys that the demo makes. */
  partitions(context: DemoContext): readonly string[];
  /** Starts sensors or submits runs; only called when some of the partitions are not made yet. */
  launch(context: DemoContext): Promise<void>;
  /** @param madeNow false when everything was there from an earlier start: then nothing may be changed */
  verify(context: DemoContext, madeNow: boolean): Promise<DemoVerdict>;
}
