/** Dry run: what would be deleted and written, with the statement, and nothing touched: no lease, no table, no mutation. */

import type { Metadata } from '@skein/orchestrator';

import { windowBounds } from './affected.ts';
import { type Statement, deleteWindows, inWindows, scope } from './label-sql.ts';
import { type Operation, ask, placeOf } from './operation.ts';
import { namesOf } from './place.ts';
import type { Work } from './prepare.ts';
import { countSelected } from './source-sql.ts';

export async function rehearse({ db, clickhouse, signal, log }: Work, operation: Operation): Promise<Metadata> {
  const place = placeOf(operation);
  const { selection, windows, profiles, mode } = operation.state;
  const [source] = await ask<{ selected: number; eligible: number }>(db, countSelected(selection), [
    operation.customerId,
    [...profiles],
    ...windowBounds(windows),
  ]);
  const [own, window] = [scope(place), inWindows(windows)];
  const [labels] = await clickhouse.rows<{ rows: string; conversations: string }>(
    `SELECT count() AS rows, uniqExact(profile_id, conversation_id) AS conversations FROM ${namesOf(place).all} WHERE ${own.sql} AND ${window.sql}`,
    { params: { ...own.params, ...window.params }, signal },
  );
  const statement = shown(deleteWindows(place, `skein:${operation.id}:windows`));
  const facts = {
    database: place.database,
    mode,
    rows_in_windows: Number(labels?.rows ?? 0),
    conversations_in_windows: Number(labels?.conversations ?? 0),
    rows_selected: source?.selected ?? 0,
    rows_to_write: source?.eligible ?? 0,
    statement:
      mode === 'delete-insert'
        ? statement
        : `ALTER TABLE ${namesOf(place).local}${namesOf(place).onCluster} REPLACE PARTITION … FROM ${namesOf(place).staging}`,
  };
  log.info(
    'Dry run: nothing is written. Rows of affected conversations that lie outside the range would go too.',
    facts,
  );
  return facts;
}

/** Parameters put in for people to read; never sent. */
function shown({ sql, params }: Statement): string {
  return sql.replace(/\{(\w+):[^}]*\}/g, (_, name: string) => {
    const value = params[name];
    return Array.isArray(value) ? `(${value.map((v) => `'${String(v)}'`).join(', ')})` : `'${String(value)}'`;
  });
}
