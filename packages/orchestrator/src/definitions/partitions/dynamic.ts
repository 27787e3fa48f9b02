/** Dynamic partitions: keys that come to be as the world has them, such as teams. Also the id dimension of a composite. */

import { type IdType, expandIds } from './ids.ts';
import { type PartitionsDefinition, SINGLE_COLUMN, checkKeyText } from './partitions.ts';

/** A dynamic dimension is a partitions definition of its own, one row a key. */
export interface DynamicDimension<Id> extends PartitionsDefinition<Id> {
  readonly kind: 'dynamic';
  readonly name: string;
  readonly type: IdType<Id>;
}

export function dynamic<Id>(name: string, type: IdType<Id>): DynamicDimension<Id> {
  const parse = (key: string) => {
    checkKeyText(key);
    return type.parse(key, name);
  };
  const rows = (ids: string) => {
    checkKeyText(ids);
    return expandIds(type, ids, name).map(type.format);
  };
  return {
    kind: 'dynamic',
    name,
    type,
    grammar: `${name}: ${type.grammar}`,
    parse,
    format: type.format,
    cell: (value) => ({ row: type.format(value), column: 0 }),
    at: (cell) => (cell.column === 0 ? type.parse(cell.row, name) : undefined),
    columns: SINGLE_COLUMN,
    expand: rows,
    rows,
  };
}
