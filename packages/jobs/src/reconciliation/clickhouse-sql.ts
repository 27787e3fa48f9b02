/**
 * Every statement that the reconciliation sends to ClickHouse. Values are bound parameters, with one exception: lists
 * of persons' ids are written into the text by `uuidList`, because ten thousand of them do not fit into the URL that
 * carries parameters; it lets only UUIDs through.
 *
 * Parameters: team (Int64), since, until (DateTime64(6), `[since, until)`), filtered (Array(String)), repair (Bool).
 */

/** Room for lists of ids in the text of a statement. */
export const LONG_STATEMENT = { max_query_size: '268435456' } as const;

/** Stands where a number was that ClickHouse cannot read; see `READABLE`. */
const UNREADABLE = 'number-beyond-64-bits:';

/**
 * An integer beyond 64 bits makes ClickHouse refuse the whole document. Such numbers, and only in such documents, are
 * replaced by marked text, so that the other keys can be read and the marked ones be named and skipped.
 */
const readable = (column: string) => String.raw`
if(match(${column}, '[\\[:,]\\s*(-\\d{19}|\\d{20})') AND NOT isValidJSON(${column}),
   replaceRegexpAll(${column}, '([\\[:,]\\s*)((?:-\\d{19,}|\\d{20,})(?:\\.\\d+)?(?:[eE][+-]?\\d+)?)', '\\1"${UNREADABLE}\\2"'),
   ${column})`;

/** Events of the team in a span, each with its person after merges; `$` may be written as an escape in JSON. */
const RESOLVED_EVENTS = String.raw`
overrides AS (
  SELECT distinct_id AS moved_id, argMax(person_id, version) AS moved_to
  FROM person_distinct_id_overrides
  WHERE team_id = {team:Int64}
  GROUP BY distinct_id
  HAVING argMax(is_deleted, version) = 0
),
resolved AS (
  SELECT if(notEmpty(moved_id), moved_to, e.person_id) AS person, e.uuid AS event_id, e.timestamp AS at, ${readable('e.properties')} AS json
  FROM events AS e
  LEFT JOIN overrides ON moved_id = e.distinct_id
  WHERE e.team_id = {team:Int64} AND e.timestamp >= {since:DateTime64(6, 'UTC')} AND e.timestamp < {until:DateTime64(6, 'UTC')}
    AND multiSearchAny(e.properties, ['$set', '$unset', '\\u0024'])
)`;

/**
 * One row for each operation on a key: kind 1 set, 2 set_once, 3 unset. The place in the event decides between two
 * values of one key in one event (the first counts, as everywhere in ClickHouse). Keys are spelled as PostgreSQL can hold
 * them, without U+0000.
 */
const OPERATIONS = `
operations AS (
  SELECT person, event_id, at, item.1 AS kind, replaceAll(item.2, '\\0', '�') AS key, item.3 AS value, item.4 AS place
  FROM resolved
  ARRAY JOIN arrayConcat(
    arrayMap((kv, i) -> (1, kv.1, kv.2, toInt64(i)), JSONExtractKeysAndValuesRaw(json, '$set') AS sets, arrayEnumerate(sets)),
    arrayMap((kv, i) -> (2, kv.1, kv.2, toInt64(i)), JSONExtractKeysAndValuesRaw(json, '$set_once') AS onces, arrayEnumerate(onces)),
    arrayMap((element, i) -> (3, JSON_VALUE(element, '$'), '', toInt64(i)), JSONExtractArrayRaw(json, '$unset') AS unsets, arrayEnumerate(unsets))
  ) AS item
  WHERE NOT has({filtered:Array(String)}, item.2) AND (item.1 = 3 OR item.3 NOT IN ('', 'null'))
)`;

/** Equal instants: the greater event id wins, so the answer does not depend on the order in which rows are read. */
const HISTORIES = (persons: string) => `
histories AS (
  SELECT person, key,
    argMaxIf(value, (at, event_id, -place), kind = 1) AS set_value, maxIf(at, kind = 1) AS set_at,
    argMinIf(value, (at, event_id, place), kind = 2) AS once_value, minIf(at, kind = 2) AS once_at,
    countIf(kind = 3) > 0 AS is_unset, maxIf(at, kind = 3) AS unset_at,
    countIf(position(value, '${UNREADABLE}') > 0) > 0 AS unreadable
  FROM operations
  ${persons}
  GROUP BY person, key
)`;

/** Fields of a history on the way to Node; '' stands for what there is not, and no raw value is ''. */
const HISTORY_FIELDS = `key, set_value, if(set_value = '', '', toString(set_at)), once_value, if(once_value = '', '', toString(once_at)),
  if(is_unset, toString(unset_at), ''), unreadable`;

/** The newest row of each person that is not deleted. */
const STATES = (persons: string) => `
  SELECT id, max(version) AS person_version, argMax(properties, version) AS person_properties
  FROM person
  WHERE team_id = {team:Int64} AND id IN (${persons})
  GROUP BY id
  HAVING argMax(is_deleted, version) = 0`;

/**
 * Non-windowed mode: histories and state of every person that may have a difference, one row a person. What differs
 * only in writing is sorted out by the rule book; what cannot differ is left out here.
 */
export const CANDIDATE_DIFFS = `
WITH ${RESOLVED_EVENTS},${OPERATIONS},${HISTORIES('')},
states AS (
  SELECT id, person_version, JSONExtractKeysAndValuesRaw(${readable('person_properties')}) AS members,
    arrayMap(member -> member.1, members) AS keys
  FROM (${STATES('SELECT person FROM resolved')})
)
SELECT toString(id) AS person_id, toString(any(person_version)) AS version,
  groupArray((${HISTORY_FIELDS}, is_present, state)) AS histories
FROM (
  SELECT *, indexOf(keys, key) AS place, place > 0 AS is_present, if(is_present, members[place].2, '') AS state
  FROM histories INNER JOIN states ON id = person
)
WHERE unreadable
  OR if(is_present, is_unset OR (set_value != '' AND set_value != state), once_value != '' OR ({repair:Bool} AND set_value != ''))
GROUP BY id
ORDER BY id`;

/** Windowed mode, step 1: persons with any operation in the bug window, in ClickHouse's order of UUIDs. */
export const AFFECTED_PERSONS = `
WITH ${RESOLVED_EVENTS},${OPERATIONS}
SELECT DISTINCT person AS id FROM operations ORDER BY id`;

/** Which windows hold any event at all; reads one column. Parameter: seconds. */
export const BUSY_WINDOWS = `
SELECT DISTINCT toUInt32(intDiv(dateDiff('second', {since:DateTime64(6, 'UTC')}, timestamp), {seconds:UInt32})) AS window
FROM events
WHERE team_id = {team:Int64} AND timestamp >= {since:DateTime64(6, 'UTC')} AND timestamp < {until:DateTime64(6, 'UTC')}
ORDER BY window`;

/** Windowed mode, step 2a: histories of a slice of persons in one window. */
export const windowHistories = (personIds: readonly string[]) => `
WITH ${RESOLVED_EVENTS},${OPERATIONS},${HISTORIES(`WHERE person IN (${uuidList(personIds)})`)}
SELECT toString(person) AS person_id, groupArray((${HISTORY_FIELDS})) AS histories
FROM histories
GROUP BY person`;

/** Windowed mode, step 2b: what the persons are now. Parameter: keys, the keys that are asked for; empty for all. */
export const personStates = (personIds: readonly string[]) => `
SELECT toString(id) AS person_id, toString(person_version) AS version,
  arrayFilter(member -> empty({keys:Array(String)}) OR has({keys:Array(String)}, member.1),
    JSONExtractKeysAndValuesRaw(${readable('person_properties')})) AS members
FROM (${STATES(uuidList(personIds))})`;

/** The oldest row at or after the version that a diff was found against; that very row may have been merged away. */
export const basesOf = (persons: readonly { readonly personId: string; readonly version: bigint }[]) => `
WITH wanted AS (
  SELECT toUUID(splitByChar(':', pair)[1]) AS wanted_id, toUInt64(splitByChar(':', pair)[2]) AS wanted_version
  FROM (SELECT arrayJoin(splitByChar(',', '${persons.map((p) => `${checkedUuid(p.personId)}:${p.version}`).join(',')}')) AS pair)
)
SELECT toString(id) AS person_id, argMin(properties, version) AS properties
FROM person INNER JOIN wanted ON wanted_id = id
WHERE team_id = {team:Int64} AND id IN (SELECT wanted_id FROM wanted) AND version >= wanted_version
GROUP BY id`;

/** Teams with property events in the span. Parameters: lowest, highest (Int64). */
export const TEAMS_WITH_PROPERTY_EVENTS = `
SELECT DISTINCT team_id AS id
FROM events
WHERE timestamp >= {since:DateTime64(6, 'UTC')} AND timestamp < {until:DateTime64(6, 'UTC')}
  AND team_id >= {lowest:Int64} AND team_id <= {highest:Int64}
  AND (JSONHas(properties, '$set') OR JSONHas(properties, '$set_once') OR JSONHas(properties, '$unset')
    OR (match(properties, '"\\\\$(set|set_once|unset)"') AND NOT isValidJSON(properties)))
ORDER BY id`;

function uuidList(ids: readonly string[]): string {
  return `SELECT arrayJoin(arrayMap(id -> toUUID(id), splitByChar(',', '${ids.map(checkedUuid).join(',')}')))`;
}

function checkedUuid(id: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) throw new TypeError('a person id is not a UUID');
  return id;
}
