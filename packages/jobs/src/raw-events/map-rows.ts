/**
 * Maps the rows of one page: the texts of the events, in order, and of every other row why it has none. Pure. What goes
 * in and what comes out is plain data that crosses to another thread and back.
 */

import { isUtf8 } from 'node:buffer';

import { eventWriter } from './event-text.ts';
import { type Profile, mapPayload } from './map-payload.ts';
import type { Rejection } from './messages.ts';
import { NOT_PLAIN } from './plain-json.ts';
import { PlainRows } from './plain-rows.ts';
import { endOfLine, parseRow, textOfLine } from './raw-row.ts';
import type { RawRow } from './sql.ts';
import { TextBytes, type TextChunk } from './text-bytes.ts';

export interface RowsToMap {
  readonly tenant: string;
  readonly environment: string;
  readonly profile: Profile;
  /** Lines of TabSeparated, many to a block. */
  readonly blocks: readonly Uint8Array[];
}

export interface Rejected extends Rejection {
  readonly row: RawRow;
  /** In the page, from 1. */
  readonly position: number;
  /** Where there is an event that could not be sent. */
  readonly eventId?: string;
}

/** Lists side by side instead of an object for each event: that costs less to hand over and to hold. */
export interface MappedRows {
  readonly texts: readonly TextChunk[];
  /** Of each text the position of its row in the page, from 1, and the event's id and customer. */
  readonly positions: readonly number[];
  readonly eventIds: readonly string[];
  readonly customers: readonly string[];
  readonly rejected: readonly Rejected[];
  /** A line that is no row; the lines behind it were not looked at. */
  readonly noRow?: string;
}

/** Go refuses to write such an offset into JSON; the original counted that as a failed publication. */
const CANNOT_BE_WRITTEN = 'the timestamp cannot be written: its offset is outside of [0,23] hours';

/** @param spare as `TextBytes` has it */
export function mapRows(
  { tenant, environment, profile, blocks }: RowsToMap,
  spare: Uint8Array<ArrayBuffer>[] = [],
): MappedRows {
  const positions: number[] = [];
  const eventIds: string[] = [];
  const customers: string[] = [];
  const rejected: Rejected[] = [];
  const context = { tenant_id: tenant, environment_id: environment };
  const write = eventWriter(context);
  const plainRows = new PlainRows(context, profile);
  const texts = new TextBytes(spare);
  const mapped = () => ({ texts: texts.chunks(), positions, eventIds, customers, rejected });
  let position = 0;
  const add = (eventId: string, customer: string) => {
    positions.push(position);
    eventIds.push(eventId);
    customers.push(customer);
  };
  for (const { buffer, byteOffset, byteLength } of blocks) {
    const block = Buffer.from(buffer, byteOffset, byteLength);
    const isText = isUtf8(block);
    for (let start = 0; start < block.length;) {
      position++;
      const next = isText ? plainRows.write(block, start, texts) : NOT_PLAIN;
      if (next !== NOT_PLAIN) {
        add(plainRows.id(), plainRows.customerId(customers.at(-1)));
        start = next;
        continue;
      }
      const end = endOfLine(block, start);
      const line = textOfLine(block, start, end);
      start = end + 1;
      const row = parseRow(line);
      if (row === undefined) return { ...mapped(), noRow: line };
      const result = mapPayload(row.payload, profile);
      if (result.kind === 'drop') rejected.push({ row, position, kind: 'dropped', reason: result.reason });
      else if (result.kind === 'error') rejected.push({ row, position, kind: 'error', reason: result.error });
      else if (!result.event.canBeWritten) {
        rejected.push({ row, position, kind: 'failed', reason: CANNOT_BE_WRITTEN, eventId: result.event.id });
      } else {
        texts.write(write(result.event));
        add(result.event.id, result.event.customerId);
      }
    }
  }
  return mapped();
}
