/**
 * The two messages that repair ClickHouse, in the shape that the ingestion writes them: a mapping and a tombstone.
 * Pure. Versions are decimal text all the way, because both databases hold 64 bits and JavaScript numbers do not.
 */

import type { Message } from '../resources/kafka.ts';

export const MAPPING_TOPIC = 'clickhouse_person_distinct_id';
export const PERSON_TOPIC = 'clickhouse_person';

/** One distinct id of one person, as PostgreSQL has it. */
export interface Mapping {
  readonly personId: string;
  readonly distinctId: string;
  readonly version: string;
}

/** What ClickHouse holds of a person, newest row. */
export interface PersonState {
  readonly personId: string;
  readonly version: string;
  readonly isDeleted: boolean;
  /** `YYYY-MM-DD HH:MM:SS.mmm`, UTC. */
  readonly createdAt: string;
}

/** The id keeps its own version, so a newer move or tombstone of it outranks the repair. */
export function mappingMessage(teamId: number, mapping: Mapping): Message {
  const { distinctId, personId, version } = mapping;
  return {
    key: null,
    value: `{"distinct_id":${asciiJson(distinctId)},"person_id":${asciiJson(personId)},"team_id":${teamId},"version":${digits(version)},"is_deleted":0}`,
  };
}

/** One version above what ClickHouse has, so that the tombstone wins there; the person's real creation time is kept. */
export function tombstoneMessage(teamId: number, state: PersonState, now: Date): Message {
  const version = BigInt(state.version) + 1n;
  return {
    key: null,
    value:
      `{"id":${asciiJson(state.personId)},"team_id":${teamId},"properties":"{}","is_identified":0,"is_deleted":1,` +
      `"created_at":"${micros(state.createdAt)}","version":${version},"_timestamp":"${now.toISOString().slice(0, 19).replace('T', ' ')}"}`,
  };
}

/** Pure ASCII, so no consumer's idea of an encoding matters. */
function asciiJson(text: string): string {
  const json = JSON.stringify(text);
  if (!NOT_ASCII.test(json)) return json;
  return json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const NOT_ASCII = /[\u0080-\uffff]/;

/** Numbers go into the JSON text as they are, so nothing but a number may pass. */
function digits(version: string): string {
  return /^\d+$/.test(version) ? version : BigInt(version).toString();
}

/** Six digits after the point, as other producers of the topic write them. */
function micros(createdAt: string): string {
  const [second = '', fraction = ''] = createdAt.split('.');
  return `${second}.${fraction.padEnd(6, '0').slice(0, 6)}`;
}
