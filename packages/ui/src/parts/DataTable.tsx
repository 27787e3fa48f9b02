/** The one table of the dashboard: columns, an opened row, ticked rows, pages, and why it is empty. */

import { Fragment, type CSSProperties, type ReactNode } from 'react';

import { More } from './More.tsx';
import { type RowAct, RowMenu } from './RowMenu.tsx';
import { Read } from './States.tsx';

export interface Column<Row> {
  readonly name: string;
  /** The name is for screen readers only. */
  readonly isQuiet?: boolean;
  /** Numbers stand at the end. */
  readonly isEnd?: boolean;
  readonly isNowrap?: boolean;
  readonly className?: string;
  readonly style?: CSSProperties;
  readonly cell: (row: Row) => ReactNode;
}

export interface Ticks {
  readonly keys: ReadonlySet<string>;
  /** What ticking is for, before the row's key: `Compare`, `Select`. */
  readonly verb: string;
  readonly onTick: (keys: ReadonlySet<string>) => void;
  /** A tick in the head ticks all that are shown. */
  readonly hasAll?: boolean;
}

export interface DataTableProps<Row> {
  readonly rows: readonly Row[];
  readonly columns: readonly (Column<Row> | false)[];
  readonly keyOf: (row: Row) => string;
  /** Of an opened row; undefined for those that are closed. */
  readonly detail?: (row: Row) => ReactNode;
  readonly ticks?: Ticks | undefined;
  /** What can be done with a row: a menu at its end. */
  readonly acts?: ((row: Row) => readonly RowAct[]) | undefined;
}

export function DataTable<Row>({ rows, columns, keyOf, detail, ticks, acts }: DataTableProps<Row>) {
  const shown = columns.filter((column) => column !== false);
  return (
    <div className="table-wrap">
      <table className="table">
        <thead>
          <tr>
            {ticks && <TickAll keys={rows.map(keyOf)} ticks={ticks} />}
            {shown.map((column) => (
              <th key={column.name} scope="col" className={column.isEnd ? 'end' : undefined} style={column.style}>
                {column.isQuiet ? <span className="visually-hidden">{column.name}</span> : column.name}
              </th>
            ))}
            {acts && (
              <th scope="col" className="acts">
                <span className="visually-hidden">Acts</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const key = keyOf(row);
            const opened = detail?.(row);
            return (
              <Fragment key={key}>
                <tr data-ticked={ticks?.keys.has(key) || undefined}>
                  {ticks && (
                    <td className="tick">
                      <input
                        type="checkbox"
                        aria-label={`${ticks.verb} ${key}`}
                        checked={ticks.keys.has(key)}
                        onChange={() => ticks.onTick(toggled(ticks.keys, [key]))}
                      />
                    </td>
                  )}
                  {shown.map((column) => (
                    <td key={column.name} className={classOf(column)}>
                      {column.cell(row)}
                    </td>
                  ))}
                  {acts && (
                    <td className="acts">
                      <RowMenu of={key} acts={() => acts(row)} />
                    </td>
                  )}
                </tr>
                {opened !== undefined && opened !== null && opened !== false && (
                  <tr className="opened">
                    <td colSpan={shown.length + (ticks ? 1 : 0) + (acts ? 1 : 0)}>{opened}</td>
                  </tr>
                )}
              </Fragment>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function TickAll({ keys, ticks }: { keys: readonly string[]; ticks: Ticks }) {
  const isAll = keys.length > 0 && keys.every((key) => ticks.keys.has(key));
  return (
    <th scope="col" className="tick">
      {ticks.hasAll ? (
        <input
          type="checkbox"
          aria-label={`${ticks.verb} all that are shown`}
          checked={isAll}
          onChange={() =>
            ticks.onTick(
              isAll
                ? new Set()
                : toggled(
                    ticks.keys,
                    keys.filter((key) => !ticks.keys.has(key)),
                  ),
            )
          }
        />
      ) : (
        <span className="visually-hidden">{ticks.verb}</span>
      )}
    </th>
  );
}

function toggled(keys: ReadonlySet<string>, some: readonly string[]): ReadonlySet<string> {
  const next = new Set(keys);
  for (const key of some) if (!next.delete(key)) next.add(key);
  return next;
}

function classOf<Row>({ isEnd, isNowrap, className }: Column<Row>): string | undefined {
  return [isEnd && 'end', isNowrap && 'nowrap', className].filter(Boolean).join(' ') || undefined;
}

interface Pages<Row> {
  readonly items: readonly Row[];
  readonly data: unknown;
  readonly error: unknown;
  readonly hasNextPage: boolean;
  readonly isFetchingNextPage: boolean;
  refetch(): unknown;
  fetchNextPage(): unknown;
}

/** A keyset-paged list as a table. */
export function PagedTable<Row>({
  pages,
  none,
  ...table
}: Omit<DataTableProps<Row>, 'rows'> & { readonly pages: Pages<Row>; readonly none: ReactNode }) {
  return (
    <>
      <Read of={pages}>{() => (pages.items.length === 0 ? none : <DataTable {...table} rows={pages.items} />)}</Read>
      <More of={pages} />
    </>
  );
}
