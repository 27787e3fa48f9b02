/**
 * The two datasets of a duckling as data: what is exported by which expression, and what the lake's table looks like.
 * Everything else about events and persons is the same code.
 */

export type DatasetName = 'events' | 'persons';

export interface ExportColumn {
  readonly name: string;
  /** Over the source's tables; `e` are events, `p` persons and `d` their distinct ids. */
  readonly expression: string;
  readonly lakeType: LakeType;
}

export type LakeType = 'VARCHAR' | 'TIMESTAMP WITH TIME ZONE' | 'BIGINT' | 'UBIGINT' | 'BOOLEAN';

export interface Dataset {
  readonly name: DatasetName;
  /** In the lake's schema. */
  readonly table: string;
  /** By which a row belongs to a day. */
  readonly timeColumn: string;
  /** Never null, so counting it counts rows; unlike `count(*)` it is read from the files and not from the catalog. */
  readonly countColumn: string;
  readonly columns: readonly ExportColumn[];
  /** `FROM … WHERE …` of a team and a half-open range, with {team_id}, {range_start} and {range_end}. */
  readonly source: string;
  /** Prefix of the names of run events, as their users know them. */
  readonly eventPrefix: string;
}

/** The lake's schema, in every duckling. */
export const LAKE_SCHEMA = 'posthog';

const column =
  (lakeType: LakeType) =>
  (name: string, expression: string): ExportColumn => ({ name, expression, lakeType });
const varchar = column('VARCHAR');
const instant = column('TIMESTAMP WITH TIME ZONE');
const bigint = column('BIGINT');
const ubigint = column('UBIGINT');
const boolean = column('BOOLEAN');

/** Users' text: DuckDB cannot read a file that holds invalid UTF-8, ClickHouse does not mind it. Valid text stays as it is. */
const text = (name: string, expression: string) => varchar(name, `toValidUTF8(${expression})`);

const GROUPS = [0, 1, 2, 3, 4] as const;
const INSERTED_AT = instant('_inserted_at', "now64(6, 'UTC')");

export const EVENTS: Dataset = {
  name: 'events',
  table: 'events',
  timeColumn: 'timestamp',
  countColumn: 'uuid',
  eventPrefix: 'duckling',
  columns: [
    varchar('uuid', 'toString(e.uuid)'),
    text('event', 'e.event'),
    text('properties', 'e.properties'),
    instant('timestamp', 'e.timestamp'),
    bigint('team_id', 'e.team_id'),
    bigint('project_id', 'toInt64(e.team_id)'),
    text('distinct_id', 'e.distinct_id'),
    text('elements_chain', 'e.elements_chain'),
    instant('created_at', 'e.created_at'),
    varchar('person_id', 'toString(e.person_id)'),
    instant('person_created_at', 'e.person_created_at'),
    text('person_properties', 'e.person_properties'),
    ...GROUPS.map((i) => text(`group${i}_properties`, `e.group${i}_properties`)),
    ...GROUPS.map((i) => instant(`group${i}_created_at`, `e.group${i}_created_at`)),
    // As text, whatever the server's setting for enums in Parquet is.
    varchar('person_mode', 'toString(e.person_mode)'),
    boolean('historical_migration', 'e.historical_migration'),
    INSERTED_AT,
  ],
  // A range, not toDate(timestamp) = day: that wraps, so that 2200 lands in 2020 and 1960 in 2139.
  source: `FROM events AS e
WHERE e.team_id = {team_id:Int64}
  AND e.timestamp >= {range_start:DateTime64(6, 'UTC')} AND e.timestamp < {range_end:DateTime64(6, 'UTC')}`,
};

export const PERSONS: Dataset = {
  name: 'persons',
  table: 'persons',
  timeColumn: '_timestamp',
  countColumn: 'distinct_id',
  eventPrefix: 'duckling_persons',
  columns: [
    bigint('team_id', 'd.team_id'),
    text('distinct_id', 'd.distinct_id'),
    varchar('id', 'toString(p.id)'),
    text('properties', 'p.properties'),
    instant('created_at', 'p.created_at'),
    boolean('is_identified', "CAST(p.is_identified, 'Bool')"),
    bigint('person_distinct_id_version', 'd.version'),
    ubigint('person_version', 'p.version'),
    instant('_timestamp', "toDateTime64(p._timestamp, 6, 'UTC')"),
    INSERTED_AT,
  ],
  // One row a person and distinct id. Versions are merged first (FINAL) and filtered afterwards.
  source: `FROM (
  SELECT id, team_id, properties, created_at, is_identified, version, _timestamp
  FROM person FINAL
  WHERE team_id = {team_id:Int64} AND is_deleted = 0
    AND _timestamp >= {range_start:DateTime64(6, 'UTC')} AND _timestamp < {range_end:DateTime64(6, 'UTC')}
) AS p
INNER JOIN (
  SELECT team_id, distinct_id, person_id, version
  FROM person_distinct_id2 FINAL
  WHERE team_id = {team_id:Int64} AND is_deleted = 0
) AS d ON d.person_id = p.id AND d.team_id = p.team_id`,
};

export const DATASETS: Readonly<Record<DatasetName, Dataset>> = { events: EVENTS, persons: PERSONS };
