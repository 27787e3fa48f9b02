/**
 * Fields of a cursor that its schema marks with `watermark: true`: how far the sensor has come, as a time or a day. A
 * reset to a point in time moves them there and leaves everything else. Pure.
 */

import { type Json, type Path, isObject, valueAt, withValue } from '../editor/json.ts';
import { type Schema, unwrap } from '../editor/json-schema.ts';

type Kind = 'instant' | 'day';

interface Watermark {
  readonly path: Path;
  readonly kind: Kind;
}

/** Those that the document has, within records and lists too. */
export function watermarksOf(schema: Schema, value: Json, path: Path = []): Watermark[] {
  const { schema: own } = unwrap(schema);
  if (schema.watermark === true || own.watermark === true)
    return value === null || value === undefined ? [] : [{ path, kind: own.format === 'date' ? 'day' : 'instant' }];
  if (Array.isArray(value))
    return own.items ? value.flatMap((one: Json, i) => watermarksOf(own.items ?? {}, one, [...path, i])) : [];
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, one]) => {
    const inner = own.properties?.[name] ?? own.additionalProperties;
    return typeof inner === 'object' ? watermarksOf(inner, one, [...path, name]) : [];
  });
}

/** The cursor with its watermarks at a moment; one that is before it already stays, because a reset never skips data. */
export function rewound(schema: Schema, cursor: Json, atMs: number): Json {
  const instant = new Date(atMs).toISOString().replace('.000Z', 'Z');
  return watermarksOf(schema, cursor).reduce((document, { path, kind }) => {
    const now = Date.parse(String(valueAt(cursor, path)));
    if (Number.isFinite(now) && now <= atMs) return document;
    return withValue(document, path, kind === 'day' ? instant.slice(0, 10) : instant);
  }, cursor);
}
