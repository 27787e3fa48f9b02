/** What goes to Kafka: an event with its key and headers, and the dead letter of one that did not get there. Pure. */

import type { Message } from '../resources/kafka.ts';
import type { KeyCursor, RawRow } from './sql.ts';
import type { RowContext } from './transform.ts';

/** Why a raw event became no published event. */
export interface Rejection {
  readonly kind: 'dropped' | 'error' | 'failed';
  /** Of a drop the first failing rule, otherwise the error. */
  readonly reason: string;
}

/** @param uuid the message's own, another one each time the event is published */
export function eventMessage(uuid: string, key: string, row: RowContext, value: Buffer): Message {
  return {
    key,
    value,
    headers: {
      _watermill_message_uuid: uuid,
      tenant_id: row.tenant_id,
      environment_id: row.environment_id,
      partition_key: key,
    },
  };
}

/** Payloads beyond this are left out of dead letters, which must never be too large themselves. */
const MAX_PAYLOAD_CHARACTERS = 200_000;

export function deadLetter(tenant: string, environment: string, row: RawRow, rejection: Rejection): Message {
  const fits = row.payload.length <= MAX_PAYLOAD_CHARACTERS;
  return {
    key: partitionKey(tenant, row.external_customer_id),
    value: JSON.stringify({
      kind: rejection.kind,
      reason: rejection.reason,
      raw_event_id: row.id,
      tenant_id: tenant,
      environment_id: environment,
      external_customer_id: row.external_customer_id,
      event_name: row.event_name,
      timestamp: timestampOf(row),
      payload: fits ? row.payload : null,
    }),
    headers: { tenant_id: tenant, environment_id: environment, reason: rejection.reason },
  };
}

export function timestampOf(row: RawRow): string {
  return new Date(Number(row.timestamp_ms)).toISOString();
}

export function cursorOf(environment: string, row: RawRow): KeyCursor {
  return {
    environment_id: environment,
    external_customer_id: row.external_customer_id,
    timestamp_ms: Number(row.timestamp_ms),
    event_name: row.event_name,
    id: row.id,
  };
}

export function partitionKey(tenant: string, customer: string): string {
  return customer === '' ? tenant : `${tenant}:${customer}`;
}
