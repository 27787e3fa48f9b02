/**
 * What the orphan sync reads from ClickHouse: the orphans, page by page in the order (created_at, id), and the newest
 * state of persons and distinct ids. Each answer fits in memory, whatever the team's size.
 */

import type { ClickHouse } from '../resources/clickhouse.ts';
import type { Mapping, PersonState } from './messages.ts';
import type { Position } from './resume-point.ts';
import {
  DISCOVERY_SETTINGS,
  MAPPING_STATES,
  PERSON_STATES,
  TEAM_HAS_PERSONS_IN_CLICKHOUSE,
  findOrphanedPersons,
} from './sql.ts';

export interface Orphan {
  readonly person_id: string;
  /** `YYYY-MM-DD HH:MM:SS.mmm`, UTC. */
  readonly created_at: string;
}

export interface PageRequest {
  readonly after: Position | null;
  /** Included; null: to the end. */
  readonly upTo: Position | null;
  readonly rows: number;
}

export interface MappingState {
  readonly personId: string;
  readonly version: bigint;
  readonly isDeleted: boolean;
}

/** Parameters travel in the URL, of which servers and proxies commonly take 8 KB. */
const MAX_PARAMETER_BYTES = 6_000;

export class TeamInClickHouse {
  private readonly clickhouse: ClickHouse;
  private readonly teamId: number;
  private readonly signal: AbortSignal;

  constructor(clickhouse: ClickHouse, teamId: number, signal: AbortSignal) {
    this.clickhouse = clickhouse;
    this.teamId = teamId;
    this.signal = signal;
  }

  async hasPersons(): Promise<boolean> {
    return (await this.rows(TEAM_HAS_PERSONS_IN_CLICKHOUSE, {})).length > 0;
  }

  /** The next orphans; fewer than `rows` when there are no more. */
  async orphans(personIds: readonly string[] | null, page: PageRequest): Promise<Orphan[]> {
    if (personIds === null) return this.orphanRows(undefined, page);
    const parts: Orphan[] = [];
    for (const ids of slices([...new Set(personIds)])) parts.push(...(await this.orphanRows(ids, page)));
    return parts.sort((a, b) => compareText(orderOf(a), orderOf(b))).slice(0, page.rows);
  }

  private async orphanRows(ids: readonly string[] | undefined, { after, upTo, rows }: PageRequest): Promise<Orphan[]> {
    const sql = findOrphanedPersons({ onlyPersons: ids !== undefined, after: after !== null, upTo: upTo !== null });
    const params = {
      team_id: this.teamId,
      rows,
      ...(ids && { person_ids: ids }),
      ...(after && { after_created_at: after.created_at, after_id: after.person_id }),
      ...(upTo && { up_to_created_at: upTo.created_at, up_to_id: upTo.person_id }),
    };
    const found: Orphan[] = [];
    for await (const block of this.clickhouse.stream<Orphan>(sql, {
      params,
      settings: DISCOVERY_SETTINGS,
      signal: this.signal,
    }))
      found.push(...block);
    return found;
  }

  async personStates(personIds: readonly string[]): Promise<Map<string, PersonState>> {
    type Row = { person: string; newest_version: string; live: number; created: string };
    const states = new Map<string, PersonState>();
    for (const ids of slices(personIds)) {
      for (const row of await this.rows<Row>(PERSON_STATES, { person_ids: ids })) {
        const { person, newest_version: version, live, created } = row;
        states.set(person, { personId: person, version, isDeleted: live === 0, createdAt: created });
      }
    }
    return states;
  }

  /** Of at most one slice of `mappingSlices`. */
  async mappingStates(mappings: readonly Mapping[]): Promise<Map<string, MappingState>> {
    type Row = { distinct_id: string; person: string; newest_version: string; live: number };
    const rows = await this.rows<Row>(MAPPING_STATES, { distinct_ids: mappings.map((mapping) => mapping.distinctId) });
    return new Map(
      rows.map(({ distinct_id: id, person, newest_version: version, live }) => [
        id,
        { personId: person, version: BigInt(version), isDeleted: live === 0 },
      ]),
    );
  }

  private rows<T>(sql: string, params: Readonly<Record<string, unknown>>): Promise<T[]> {
    return this.clickhouse.rows<T>(sql, { params: { team_id: this.teamId, ...params }, signal: this.signal });
  }
}

/** Parts of a list whose distinct ids fit one query. */
export function mappingSlices(mappings: readonly Mapping[]): Mapping[][] {
  return slices(mappings, (mapping) => mapping.distinctId);
}

function slices<T>(values: readonly T[], textOf: (value: T) => string = String): T[][] {
  const parts: T[][] = [];
  let bytes = Infinity;
  for (const value of values) {
    // Two quotes and a comma, each three bytes in a URL; backslashes and quotes are escaped once more by the client.
    bytes += encodeURIComponent(textOf(value)).length + 9;
    if (bytes > MAX_PARAMETER_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(value);
  }
  return parts;
}

/** ClickHouse orders UUIDs by their second half first. */
function orderOf({ created_at, person_id }: Orphan): string {
  return `${created_at} ${person_id.slice(19)}${person_id.slice(0, 18)}`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
