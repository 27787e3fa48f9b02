/** Makes the messages of one page, in order, and says of every other row why it has none. Computes only. */

import { randomBytes } from 'node:crypto';

import type { Message } from '../resources/kafka.ts';
import { eventWriter } from './event-text.ts';
import { type Profile, mapPayload } from './map-payload.ts';
import { type Rejection, eventMessage, partitionKey } from './messages.ts';
import type { Page } from './read-pages.ts';
import type { RawRow } from './sql.ts';
import { TextBytes } from './text-bytes.ts';

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

/** Go refuses to write such an offset into JSON; the original counted that as a failed publication. */
const CANNOT_BE_WRITTEN = 'the timestamp cannot be written: its offset is outside of [0,23] hours';

/** About 10 ms: between slices, the worker's leases and signals have their turn. */
const ROWS_PER_SLICE = 500;

export async function transformPage(page: Page, tenant: string, profile: Profile): Promise<PageWork> {
  const outgoing: Outgoing[] = [];
  const messages: Message[] = [];
  const rejected: Rejected[] = [];
  const context = { tenant_id: tenant, environment_id: page.environment };
  const stamp = stampsOf(performance.timeOrigin + performance.now());
  const write = eventWriter(context);
  const bytes = new TextBytes();
  let customer = '';
  let key = partitionKey(tenant, customer);
  for (let i = 0; i < page.rows.length; i++) {
    if (i % ROWS_PER_SLICE === ROWS_PER_SLICE - 1) await new Promise(setImmediate);
    const row = page.rows[i] as RawRow;
    const position = i + 1;
    const result = mapPayload(row.payload, profile);
    if (result.kind === 'drop') rejected.push({ row, position, kind: 'dropped', reason: result.reason });
    else if (result.kind === 'error') rejected.push({ row, position, kind: 'error', reason: result.error });
    else if (!result.event.canBeWritten) {
      rejected.push({ row, position, kind: 'failed', reason: CANNOT_BE_WRITTEN, eventId: result.event.id });
    } else {
      const { event } = result;
      outgoing.push({ row, position, eventId: event.id });
      if (event.customerId !== customer) {
        customer = event.customerId;
        key = partitionKey(tenant, customer);
      }
      messages.push(eventMessage(event.id + stamp(i), key, context, bytes.write(write(event))));
    }
  }
  return { page, outgoing, messages, rejected };
}

/**
 * What follows the event's id in a message's own identity: nanoseconds since 1970, other ones for each message of a page,
 * and a random number below 2^63, another one for each page. So the same event published again has another identity.
 */
function stampsOf(now: number): (index: number) => string {
  const milliseconds = Math.trunc(now);
  const random = String(randomBytes(8).readBigUInt64BE() >> 1n);
  return (index) => `-${milliseconds}${String(1_000_000 + index).slice(1)}-${random}`;
}
