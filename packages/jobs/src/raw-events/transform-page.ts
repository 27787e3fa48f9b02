/** Makes the messages of one page, in order, and says of every other row why it has none. Computes only. */

import { randomFillSync } from 'node:crypto';

import type { Message } from '../resources/kafka.ts';
import { type Rejection, type Stamp, cannotBeWritten, eventMessage } from './messages.ts';
import type { Page } from './read-pages.ts';
import type { RawRow } from './sql.ts';
import { type Profile, transformRawEvent } from './transform.ts';

export interface Outgoing {
  readonly row: RawRow;
  /** In the page, from 1. */
  readonly position: number;
  readonly eventId: string;
}

export interface Rejected extends Rejection {
  readonly row: RawRow;
  readonly position: number;
  /** Where there is an event that could not be sent. */
  readonly eventId?: string;
}

export interface PageWork {
  readonly page: Page;
  readonly outgoing: readonly Outgoing[];
  /** Those of `outgoing`, one by one. */
  readonly messages: readonly Message[];
  readonly rejected: readonly Rejected[];
}

/** About 10 ms: between slices, the worker's leases and signals have their turn. */
const ROWS_PER_SLICE = 500;

export async function transformPage(page: Page, tenant: string, profile: Profile): Promise<PageWork> {
  const outgoing: Outgoing[] = [];
  const messages: Message[] = [];
  const rejected: Rejected[] = [];
  const context = { tenant_id: tenant, environment_id: page.environment };
  const stamps = stampsOf(page.rows.length);
  for (let i = 0; i < page.rows.length; i++) {
    if (i % ROWS_PER_SLICE === ROWS_PER_SLICE - 1) await new Promise(setImmediate);
    const row = page.rows[i] as RawRow;
    const position = i + 1;
    const result = transformRawEvent(row.payload, context, profile);
    if (result.kind === 'drop') rejected.push({ row, position, kind: 'dropped', reason: result.reason });
    else if (result.kind === 'error') rejected.push({ row, position, kind: 'error', reason: result.error });
    else {
      const unwritable = cannotBeWritten(result.event);
      if (unwritable === undefined) {
        outgoing.push({ row, position, eventId: result.event.id });
        messages.push(eventMessage(result.event, stamps(i)));
      } else {
        rejected.push({ row, position, kind: 'failed', reason: unwritable, eventId: result.event.id });
      }
    }
  }
  return { page, outgoing, messages, rejected };
}

/** Different for every message, also of the same event published again. As text: big integers cost as much as a field. */
function stampsOf(count: number): (index: number) => Stamp {
  const random = randomFillSync(new Uint32Array(2 * count));
  const microseconds = Math.round((performance.timeOrigin + performance.now()) * 1_000);
  return (index) => ({
    nanoseconds: `${microseconds + Math.trunc(index / 1_000)}${String(index % 1_000).padStart(3, '0')}`,
    // Below 2^32 × 10^9, which has 62 bits.
    random: `${(random[2 * index] as number) || 1}${String((random[2 * index + 1] as number) % 1e9).padStart(9, '0')}`,
  });
}
