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

/**
 * Lists side by side instead of an object for each event: what lives as long as a page is copied by every collection of
 * garbage in between.
 */
export interface PageWork {
  readonly page: Page;
  readonly messages: readonly Message[];
  /** Of each message the position of its row in the page, from 1, and the id of its event. */
  readonly positions: readonly number[];
  readonly eventIds: readonly string[];
  readonly rejected: readonly Rejected[];
}

/** What a message of the page came from. */
export function outgoingAt(work: PageWork, index: number): Outgoing {
  const position = work.positions[index] as number;
  return { row: work.page.rows[position - 1] as RawRow, position, eventId: work.eventIds[index] as string };
}

/** Go refuses to write such an offset into JSON; the original counted that as a failed publication. */
const CANNOT_BE_WRITTEN = 'the timestamp cannot be written: its offset is outside of [0,23] hours';

/**
 * One or two milliseconds: between slices, answers of Kafka have their turn, so that the next page is transformed while
 * the broker is at work and not before; the worker's leases and signals as well.
 */
const ROWS_PER_SLICE = 100;

export async function transformPage(page: Page, tenant: string, profile: Profile): Promise<PageWork> {
  const positions: number[] = [];
  const eventIds: string[] = [];
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
      positions.push(position);
      eventIds.push(event.id);
      if (event.customerId !== customer) {
        customer = event.customerId;
        key = partitionKey(tenant, customer);
      }
      messages.push(eventMessage(event.id + stamp(i), key, context, bytes.write(write(event))));
    }
  }
  return { page, messages, positions, eventIds, rejected };
}

/**
 * What follows the event's id in a message's own identity: nanoseconds since 1970, other ones for each message of a page,
 * and a random number below 2^63, another one for each page. So the same event published again has another identity.
 */
function stampsOf(now: number): (index: number) => string {
  const milliseconds = `-${Math.trunc(now)}`;
  const random = `-${randomBytes(8).readBigUInt64BE() >> 1n}`;
  return (index) => milliseconds + String(1_000_000 + index).slice(1) + random;
}
