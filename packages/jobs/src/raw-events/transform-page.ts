/** Maps one page: the texts of its messages, in order, and of every other row why it has none. */

import { randomBytes } from 'node:crypto';

import type { Message } from '../resources/kafka.ts';
import type { Profile } from './map-payload.ts';
import type { MappedRows } from './map-rows.ts';
import { eventMessage, partitionKey } from './messages.ts';
import { type Page, refuse, rowsOf } from './read-pages.ts';
import type { RowMapper } from './row-mapper.ts';
import type { RawRow } from './sql.ts';

export interface PageWork extends Omit<MappedRows, 'noRow'> {
  readonly page: Page;
  readonly tenant: string;
}

/** What a message came from. */
export interface Outgoing {
  readonly row: RawRow;
  readonly position: number;
  readonly eventId: string;
}

/** What the messages at these indexes of `messagesOf` came from. */
export function outgoingAt({ page, positions, eventIds }: PageWork, indexes: readonly number[]): Outgoing[] {
  if (indexes.length === 0) return [];
  const rows = rowsOf(page);
  return indexes.map((index) => {
    const position = positions[index] as number;
    // A copy, because parts of a text keep the whole of it in memory, and what is logged is kept long.
    return { row: structuredClone(rows[position - 1] as RawRow), position, eventId: eventIds[index] as string };
  });
}

/** @throws ServiceError when a line of the page is no row, or the mapper ended */
export async function transformPage(
  page: Page,
  tenant: string,
  profile: Profile,
  mapper: Pick<RowMapper, 'map'>,
): Promise<PageWork> {
  const { environment, blocks } = page;
  const { noRow, ...mapped } = await mapper.map({ tenant, environment, profile, blocks });
  if (noRow !== undefined) refuse(noRow);
  return { ...mapped, page, tenant };
}

/**
 * Pages in order, each given to the mapper before the last one is handed out: so it has work while this process encodes
 * and sends (a tenth of the time of the whole path, measured).
 */
export async function* transformPages(
  pages: AsyncIterable<Page>,
  { tenant_id: tenant, profile }: { readonly tenant_id: string; readonly profile: Profile },
  mapper: Pick<RowMapper, 'map'>,
): AsyncGenerator<PageWork> {
  let last: Promise<PageWork> | undefined;
  try {
    for await (const page of pages) {
      const current = transformPage(page, tenant, profile, mapper);
      // Its failure is met when it is awaited; until then nobody else would.
      current.catch(() => {});
      if (last) yield await last;
      last = current;
    }
  } catch (error) {
    // What was read before reading failed is good.
    if (last) yield await last;
    throw error;
  }
  if (last) yield await last;
}

/** Made when they are sent, and not before: what waits meanwhile is a few large buffers. */
export function messagesOf({ page, tenant, texts, positions, eventIds, customers }: PageWork): Message[] {
  const context = { tenant_id: tenant, environment_id: page.environment };
  const stamp = stampsOf(performance.timeOrigin + performance.now());
  const messages: Message[] = [];
  let customer = '';
  let key = partitionKey(tenant, customer);
  for (const { bytes, ends } of texts) {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let start = 0;
    for (const end of ends) {
      const i = messages.length;
      if (customers[i] !== customer) {
        customer = customers[i] as string;
        key = partitionKey(tenant, customer);
      }
      const uuid = `${eventIds[i]}${stamp((positions[i] as number) - 1)}`;
      messages.push(eventMessage(uuid, key, context, buffer.subarray(start, end)));
      start = end;
    }
  }
  return messages;
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
