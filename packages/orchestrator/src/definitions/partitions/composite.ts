/** `<id>_<YYYY-MM-DD>`: an id and a UTC day, split at the last underscore. The grammar of every job family here. */

import { PartitionKeyInvalidError } from '../errors.ts';
import { type Day, addDays, dayFromNumber, dayNumber, dayOf, daysBetween, isDay, parseDay } from './day.ts';
import type { DynamicDimension } from './dynamic.ts';
import { expandIds } from './ids.ts';
import { type DayColumns, MAX_EXPANDED_KEYS, type PartitionsDefinition, checkKeyText } from './partitions.ts';
import type { DailyDimension } from './time-window.ts';

export interface IdDay<Id> {
  readonly id: Id;
  readonly day: Day;
}

export interface IdDayPartitions<Id> extends PartitionsDefinition<IdDay<Id>> {
  readonly kind: 'composite';
  /** The id dimension's name, such as `team_id`. */
  readonly idName: string;
  readonly columns: DayColumns;
  /** @throws PartitionKeyInvalidError */
  parseId(text: string): Id;
}

export function composite<Id>(dimensions: {
  readonly id: DynamicDimension<Id>;
  readonly day: DailyDimension;
}): IdDayPartitions<Id> {
  const { id, day: daily } = dimensions;
  const first = dayNumber(daily.start);

  const parse = (key: string): IdDay<Id> => {
    checkKeyText(key);
    const cut = key.lastIndexOf('_');
    if (cut < 1) {
      throw new PartitionKeyInvalidError(
        `Invalid partition key format “${key}”: write <${id.name}>_<YYYY-MM-DD>, such as 12345_2024-01-15.`,
      );
    }
    const value = { id: id.type.parse(key.slice(0, cut), id.name), day: parseDay(key.slice(cut + 1)) };
    if (value.day < daily.start) {
      throw new PartitionKeyInvalidError(`Invalid date in “${key}”: the first day of this asset is ${daily.start}.`);
    }
    return value;
  };
  const format = (value: IdDay<Id>) => `${id.type.format(value.id)}_${value.day}`;

  return {
    kind: 'composite',
    idName: id.name,
    grammar: `<${id.name}>_<YYYY-MM-DD>, where ${id.name} is ${id.type.grammar}`,
    parse,
    format,
    parseId: (text) => id.type.parse(text, id.name),
    cell: (value) => ({ row: id.type.format(value.id), column: dayNumber(value.day) - first }),
    at: (cell) =>
      cell.column < 0 ? undefined : { id: id.type.parse(cell.row, id.name), day: dayFromNumber(first + cell.column) },
    columns: {
      kind: 'time',
      start: daily.start,
      label: (column) => dayFromNumber(first + column),
      column: (label) => dayNumber(parseDay(label)) - first,
      lastComplete: (now) => dayNumber(addDays(dayOf(now), -1)) - first,
    },
    expand(range) {
      const cut = range.lastIndexOf('_');
      const [fromDay, toDay, ...rest] = cut < 0 ? [] : range.slice(cut + 1).split('..');
      if (fromDay === undefined || rest.length > 0) return [format(parse(range))];
      const days = toDay === undefined ? [parseDay(fromDay)] : daysBetween(parseDay(fromDay), parseDay(toDay));
      const ids = expandIds(id.type, range.slice(0, cut), id.name);
      if (days.length === 0)
        throw new PartitionKeyInvalidError(`The range “${range}” is empty: its end lies before its start.`);
      if (ids.length * days.length > MAX_EXPANDED_KEYS) {
        throw new PartitionKeyInvalidError(
          `The range “${range}” has more than ${MAX_EXPANDED_KEYS} partitions: use “skein backfill”.`,
        );
      }
      return ids.flatMap((one) => days.map((day) => format(parse(format({ id: one, day })))));
    },
    rows: id.rows,
  };
}

/** True when the text ends like a day range or a day; used to tell ids from keys in arguments. */
export function endsWithDay(text: string): boolean {
  return isDay(text.slice(-10));
}
