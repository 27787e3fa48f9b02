/**
 * Compares the lake's table and the source with what will be exported, names and types, before anything expensive.
 * DuckLake refuses files that do not fit, after the export; here the answer comes first and names the columns.
 */

import type { Dataset, LakeType } from './dataset.ts';

export interface Column {
  readonly name: string;
  readonly type: string;
}

export interface Comparison {
  /** One sentence a wrong column; empty when the table fits. */
  readonly problems: readonly string[];
  /** In the table but not exported: they become NULL. */
  readonly extra: readonly string[];
}

export function compareLakeTable(dataset: Dataset, actual: readonly Column[]): Comparison {
  const byName = new Map(actual.map((c) => [c.name.toLowerCase(), c.type.toUpperCase()]));
  const problems = dataset.columns.flatMap(({ name, lakeType }) => {
    const type = byName.get(name.toLowerCase());
    if (type === undefined) return [`the column ${name} (${lakeType}) is missing`];
    return type === lakeType ? [] : [`the column ${name} is ${type} and should be ${lakeType}`];
  });
  const known = new Set(dataset.columns.map((c) => c.name.toLowerCase()));
  return { problems, extra: actual.filter((c) => !known.has(c.name.toLowerCase())).map((c) => c.name) };
}

/** ClickHouse types whose Parquet form DuckLake takes for each type of the lake, Nullable and LowCardinality unwrapped. */
const FITTING: Readonly<Record<LakeType, RegExp>> = {
  VARCHAR: /^(String|Enum(8|16)\(.*\))$/s,
  'TIMESTAMP WITH TIME ZONE': /^DateTime(64\(.*\)|\(.*\))?$/s,
  BIGINT: /^(Int(8|16|32|64)|UInt(8|16|32))$/,
  UBIGINT: /^UInt(8|16|32|64)$/,
  BOOLEAN: /^Bool$/,
};

export function compareExport(dataset: Dataset, actual: readonly Column[]): readonly string[] {
  const byName = new Map(actual.map((c) => [c.name, c.type]));
  return dataset.columns.flatMap(({ name, lakeType }) => {
    const type = byName.get(name);
    if (type === undefined) return [`the column ${name} is missing`];
    return FITTING[lakeType].test(unwrapped(type))
      ? []
      : [`the column ${name} is ${type}, which does not become ${lakeType}`];
  });
}

function unwrapped(type: string): string {
  const inner = /^(?:Nullable|LowCardinality)\((.*)\)$/s.exec(type)?.[1];
  return inner === undefined ? type : unwrapped(inner);
}
