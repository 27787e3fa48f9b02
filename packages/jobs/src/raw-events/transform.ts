/** A raw payload as a billing event, or why there is none. Pure, without a clock; never throws, whatever the bytes. */

import { type DropReason, type MappedEvent, type Profile, mapPayload } from './map-payload.ts';
import { setOwn } from './payload.ts';

export { DROP_REASONS, type DropReason, PARSE_ERROR, PROFILES, type Profile, TIMESTAMP_ERROR } from './map-payload.ts';

/** What the payload does not say. */
export interface RowContext {
  readonly tenant_id: string;
  readonly environment_id: string;
}

/** Keys in the order of the message. */
export interface BillingEvent {
  readonly id: string;
  readonly tenant_id: string;
  readonly environment_id: string;
  readonly event_name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly source: string;
  readonly timestamp: string;
  readonly ingested_at: string;
  readonly customer_id: string;
  readonly external_customer_id: string;
}

export type Transformed =
  | { readonly kind: 'event'; readonly event: BillingEvent }
  | { readonly kind: 'drop'; readonly reason: DropReason }
  | { readonly kind: 'error'; readonly error: string };

/** Go's zero time: the consumer sets its own. */
export const NOT_YET_INGESTED = '0001-01-01T00:00:00Z';

export function transformRawEvent(payload: string, row: RowContext, profile: Profile): Transformed {
  const mapped = mapPayload(payload, profile);
  return mapped.kind === 'event' ? { kind: 'event', event: eventOf(mapped.event, row) } : mapped;
}

function eventOf(mapped: MappedEvent, row: RowContext): BillingEvent {
  const properties: Record<string, string> = {};
  for (let i = 0; i < mapped.properties.length; i += 2) {
    setOwn(properties, mapped.properties[i] as string, mapped.properties[i + 1] as string);
  }
  return {
    id: mapped.id,
    tenant_id: row.tenant_id,
    environment_id: row.environment_id,
    event_name: mapped.eventName,
    properties,
    source: mapped.source,
    timestamp: mapped.timestamp,
    ingested_at: NOT_YET_INGESTED,
    customer_id: '',
    external_customer_id: mapped.customerId,
  };
}
