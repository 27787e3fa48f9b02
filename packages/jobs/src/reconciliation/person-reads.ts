/** What the reconciliation reads from ClickHouse for one team, decoded. `now` and the team are fixed for all of it. */

import type { ClickHouse, QueryOptions } from '../resources/clickhouse.ts';
import type { PersonHistory } from './accumulator.ts';
import {
  AFFECTED_PERSONS,
  BUSY_WINDOWS,
  CANDIDATE_DIFFS,
  LONG_STATEMENT,
  basesOf,
  personStates,
  windowHistories,
} from './clickhouse-sql.ts';
import { formatMoment } from './config.ts';
import { FILTERED_KEYS } from './filtered-keys.ts';
import { PersonIds } from './person-ids.ts';
import type { KeyHistory } from './replay.ts';

interface Span {
  readonly from: Date;
  /** Excluded. */
  readonly to: Date;
}

/** A person whose events may have changes in store, with what ClickHouse has under each of their keys. */
interface Candidate extends PersonHistory {
  readonly version: bigint;
  /** Raw JSON by key; keys that the person lacks are absent. */
  readonly state: ReadonlyMap<string, string>;
}

interface PersonState {
  readonly version: bigint;
  readonly members: ReadonlyMap<string, string>;
}

export interface PersonReads {
  candidates(span: Span, repairMissingKeys: boolean): AsyncIterable<Candidate[]>;
  affected(span: Span): Promise<PersonIds>;
  /** Numbers of the windows of the span that hold events. */
  busyWindows(span: Span, seconds: number): Promise<ReadonlySet<number>>;
  histories(span: Span, personIds: readonly string[]): AsyncIterable<PersonHistory[]>;
  states(personIds: readonly string[], keys: readonly string[]): Promise<ReadonlyMap<string, PersonState>>;
  bases(
    persons: readonly { readonly personId: string; readonly version: bigint }[],
  ): Promise<ReadonlyMap<string, string>>;
}

/** Seconds; the limits of the single query and of everything that is bounded by a window or a slice. */
const SINGLE_QUERY_SECONDS = 1_200;
const BOUNDED_QUERY_SECONDS = 600;
/** Persons in one query for states; keeps answers at some tens of megabytes. */
const STATE_BATCH = 10_000;
const BASE_BATCH = 1_000;
/** More keys than this are not worth sending: the persons' whole properties come instead. */
const MAX_ASKED_KEYS = 100;

type HistoryFields = readonly [
  key: string,
  set: string,
  setAt: string,
  once: string,
  onceAt: string,
  unsetAt: string,
  unreadable: unknown,
];

export function createPersonReads(clickhouse: ClickHouse, teamId: number, signal: AbortSignal): PersonReads {
  const options = (params: Record<string, unknown>, seconds = BOUNDED_QUERY_SECONDS): QueryOptions => ({
    params: { team: teamId, filtered: FILTERED_KEYS, ...params },
    settings: { readonly: '2', max_execution_time: seconds, ...LONG_STATEMENT },
    signal,
  });
  const bounds = ({ from, to }: Span) => ({ since: formatMoment(from), until: formatMoment(to) });

  return {
    async *candidates(span, repairMissingKeys) {
      type Row = {
        person_id: string;
        version: string;
        histories: [...HistoryFields, isPresent: unknown, state: string][];
      };
      for await (const rows of clickhouse.stream<Row>(
        CANDIDATE_DIFFS,
        options({ ...bounds(span), repair: repairMissingKeys }, SINGLE_QUERY_SECONDS),
      )) {
        yield rows.map((row) => ({
          personId: row.person_id,
          version: BigInt(row.version),
          keys: row.histories.map(toHistory),
          state: new Map(
            row.histories.flatMap((fields) => (isTrue(fields[7]) ? [[fields[0], fields[8]] as const] : [])),
          ),
        }));
      }
    },

    async affected(span) {
      const ids = new PersonIds();
      for await (const rows of clickhouse.stream<{ id: string }>(AFFECTED_PERSONS, options(bounds(span)))) {
        for (const row of rows) ids.add(row.id);
      }
      return ids;
    },

    async busyWindows(span, seconds) {
      const rows = await clickhouse.rows<{ window: number }>(BUSY_WINDOWS, options({ ...bounds(span), seconds }));
      return new Set(rows.map((row) => row.window));
    },

    async *histories(span, personIds) {
      type Row = { person_id: string; histories: HistoryFields[] };
      for await (const rows of clickhouse.stream<Row>(windowHistories(personIds), options(bounds(span)))) {
        yield rows.map((row) => ({ personId: row.person_id, keys: row.histories.map(toHistory) }));
      }
    },

    async states(personIds, keys) {
      type Row = { person_id: string; version: string; members: [string, string][] };
      const states = new Map<string, PersonState>();
      const asked = keys.length <= MAX_ASKED_KEYS ? keys : [];
      for (let i = 0; i < personIds.length; i += STATE_BATCH) {
        const sql = personStates(personIds.slice(i, i + STATE_BATCH));
        for await (const rows of clickhouse.stream<Row>(sql, options({ keys: asked }))) {
          for (const row of rows)
            states.set(row.person_id, { version: BigInt(row.version), members: firstMembers(row.members) });
        }
      }
      return states;
    },

    async bases(persons) {
      const bases = new Map<string, string>();
      for (let i = 0; i < persons.length; i += BASE_BATCH) {
        const sql = basesOf(persons.slice(i, i + BASE_BATCH));
        for (const row of await clickhouse.rows<{ person_id: string; properties: string }>(sql, options({})))
          bases.set(row.person_id, row.properties);
      }
      return bases;
    },
  };
}

function toHistory([key, set, setAt, once, onceAt, unsetAt, unreadable]: readonly [
  ...HistoryFields,
  ...unknown[],
]): KeyHistory {
  return {
    key,
    set: set === '' ? undefined : { value: set, at: setAt },
    setOnce: once === '' ? undefined : { value: once, at: onceAt },
    unsetAt: unsetAt === '' ? undefined : unsetAt,
    unreadable: isTrue(unreadable),
  };
}

/** UInt8 or Bool, as the server's version and settings write it inside a tuple. */
function isTrue(value: unknown): boolean {
  return value === true || value === 1;
}

/** Of a key that stands twice the first counts. */
function firstMembers(members: readonly (readonly [string, string])[]): Map<string, string> {
  const map = new Map<string, string>();
  for (const [key, raw] of members) if (!map.has(key)) map.set(key, raw);
  return map;
}
