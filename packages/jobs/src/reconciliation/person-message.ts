/** The message of topic `clickhouse_person` that gives ClickHouse a person's new version. No key, as the others send it. */

import type { Message } from '../resources/kafka.ts';

export const PERSON_TOPIC = 'clickhouse_person';

export interface PublishedPerson {
  readonly uuid: string;
  readonly teamId: number;
  /** JSON text. */
  readonly properties: string;
  readonly isIdentified: boolean;
  /** `YYYY-MM-DD HH:MM:SS.ffffff`, UTC. */
  readonly createdAt: string;
  readonly version: bigint;
}

/** The version is written as it is: a 64-bit integer must not pass through a double. */
export function personMessage(person: PublishedPerson): Message {
  const value =
    `{"id":"${person.uuid}","team_id":${person.teamId},"properties":${JSON.stringify(readableIntegers(person.properties))},` +
    `"is_identified":${person.isIdentified ? 1 : 0},"is_deleted":0,"created_at":"${person.createdAt}","version":${person.version}}`;
  return { key: null, value };
}

const LONG = /\d{19}/;
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

/**
 * ClickHouse refuses a whole document for one integer beyond 64 bits, and PostgreSQL writes 1e20 out in digits. With an
 * exponent the same number is read.
 */
function readableIntegers(properties: string): string {
  if (!LONG.test(properties)) return properties;
  return properties.replace(STRING_OR_NUMBER, (token) =>
    /^-?\d{19,}$/.test(token) && isBeyond64Bits(BigInt(token)) ? `${token}e0` : token,
  );
}

function isBeyond64Bits(value: bigint): boolean {
  return value >= 2n ** 64n || value < -(2n ** 63n);
}
