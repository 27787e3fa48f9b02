/**
 * A message's text, straight from the mapping's parts: the JSON of the event that `transformRawEvent` gives, without the
 * object (a third of the time of making and stringifying one whose keys come from outside). Pure.
 */

import { isOpening } from './ascii.ts';
import type { MappedEvent } from './map-payload.ts';
import { NOT_YET_INGESTED, type RowContext } from './transform.ts';

/** What stands before each part of an event's text, with the quotes around it. */
export function frameOf(row: RowContext) {
  return {
    id: '{"id":"',
    eventName: `","tenant_id":${JSON.stringify(row.tenant_id)},"environment_id":${JSON.stringify(row.environment_id)},"event_name":"`,
    properties: '","properties":{',
    source: '},"source":"',
    timestamp: '","timestamp":"',
    customerId: `","ingested_at":"${NOT_YET_INGESTED}","customer_id":"","external_customer_id":"`,
    end: '"}',
  };
}

/** @returns what writes the events of one tenant and environment */
export function eventWriter(row: RowContext): (event: MappedEvent) => string {
  const frame = frameOf(row);
  return (event) => {
    const inside = event.hasEscapes ? escaped : insideQuotes;
    return (
      `${frame.id}${inside(event.id)}${frame.eventName}${inside(event.eventName)}` +
      `${frame.properties}${propertiesText(event.properties, inside)}${frame.source}${inside(event.source)}` +
      `${frame.timestamp}${event.timestamp}${frame.customerId}${inside(event.customerId)}${frame.end}`
    );
  };
}

/**
 * There is at least one property: the billable ones are always written. Of few parts each, because the parts of a text are
 * what writing it costs.
 */
function propertiesText(properties: readonly string[], inside: (text: string) => string): string {
  let text = '"';
  for (let i = 0; i < properties.length; i += 2) {
    const between = upTo(properties[i] as string);
    text += i === 0 ? between.slice(BETWEEN.length) : between;
    text += inside(properties[i + 1] as string);
  }
  return text + '"';
}

const BETWEEN = '","';
/** Names come from outside, but nearly always the same. */
const MAX_NAMES = 1_000;
const names = new Map<string, string>();

/** From the end of the text before to the beginning of this name's. */
function upTo(name: string): string {
  let text = names.get(name);
  if (text === undefined) {
    text = `${BETWEEN}${escaped(name)}":"`;
    if (names.size < MAX_NAMES) names.set(name, text);
  }
  return text;
}

/** Of a payload without escapes, only the JSON of a nested value holds characters that need them. */
export function insideQuotes(text: string): string {
  return isOpening(text.charCodeAt(0)) ? escaped(text) : text;
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
