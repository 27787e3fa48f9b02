/**
 * `skein sensors cursor …`: a sensor's cursor as people read and write it. Every write is checked against the schema,
 * versioned and remembered; on a terminal it shows what changes and asks, elsewhere it asks nothing.
 */

import type { Command } from 'commander';

import { RefusedError } from '../../definitions/errors.ts';
import type { Json } from '../../definitions/json.ts';
import { group, leaf, overServer } from '../help.ts';
import { diffJson } from '../json-diff.ts';
import { readJsonArgument, wholeNumber } from '../parse-arguments.ts';
import type { CursorWrite, SensorsPort } from '../ports/sensors.ts';
import type { RunAction, Session } from '../session.ts';
import { confirm, isInteractive, paintNote, shorten, table, time } from '../terminal.ts';

export function registerSensorCursor(sensors: Command, run: RunAction): void {
  const cursor = group(sensors, 'cursor', 'the cursor: get, set, reset, history, undo', [
    'skein sensors cursor get my_sensor --json',
    `skein sensors cursor set my_sensor '{"day": "2026-01-01"}' --reason "start over in January"`,
  ]);
  leaf(cursor, 'get <name>', 'the cursor and its version', ['skein sensors cursor get my_sensor']).action(
    (name: string) => run((session) => get(session, name)),
  );
  writing(
    leaf(cursor, 'set <name> <json>', 'write it, as JSON or @FILE; the schema must take it', [
      `skein sensors cursor set my_sensor '{"next": 3}' --reason "skip the bad day"`,
      'skein sensors cursor set my_sensor @cursor.json --if-version 12',
    ]),
  ).action((name: string, text: string, flags: WriteFlags) => run((session) => set(session, name, text, flags)));
  writing(
    leaf(cursor, 'reset <name>', 'back to its beginning; what ran before may be asked for again', [
      'skein sensors cursor reset my_sensor --reason "start over"',
    ]),
  ).action((name: string, flags: WriteFlags) => run((session) => reset(session, name, flags)));
  leaf(cursor, 'history <name>', 'its changes, newest first', ['skein sensors cursor history my_sensor --limit 5'])
    .option('--limit <n>', 'at most so many', wholeNumber(1, 2_000), 20)
    .action((name: string, flags: { readonly limit: number }) => run((session) => history(session, name, flags.limit)));
  writing(
    leaf(cursor, 'undo <name>', 'back to the cursor before the newest change, or as it was at a version', [
      'skein sensors cursor undo my_sensor',
      'skein sensors cursor undo my_sensor --to-version 7',
    ]),
  )
    .option('--to-version <n>', 'as it was after this version', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .action((name: string, flags: WriteFlags) => run((session) => undo(session, name, flags)));
  cursor.commands.forEach(overServer);
}

interface WriteFlags {
  readonly reason?: string;
  readonly ifVersion?: number;
  readonly toVersion?: number;
  readonly yes?: boolean;
}

function writing(command: Command): Command {
  return command
    .option('--reason <text>', 'why, for the history and the audit log')
    .option('--if-version <n>', 'only when this is still its version', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('--yes', 'do not ask on a terminal');
}

async function open(session: Session): Promise<SensorsPort> {
  const { openSensors } = await import('../ports/sensors.ts');
  return openSensors(session);
}

async function get(session: Session, name: string): Promise<void> {
  const { cursor, version, generation } = await (await open(session)).cursor(name);
  session.print({ sensor: name, cursor, version, generation }, () => [JSON.stringify(cursor, null, 2)]);
  if (!session.json) session.note(`version ${version}, generation ${generation}`);
}

async function set(session: Session, name: string, text: string, flags: WriteFlags): Promise<void> {
  const port = await open(session);
  const cursor = readJsonArgument('The cursor', text);
  await port.checkCursor(name, cursor); // a wrong one is refused before a question is asked
  await write(session, port, name, flags, cursor, (how) => port.setCursor(name, cursor, how));
}

async function reset(session: Session, name: string, flags: WriteFlags): Promise<void> {
  const port = await open(session);
  const next = await port.initialCursor(name);
  await write(session, port, name, flags, next, (how) => port.resetCursor(name, how));
}

async function undo(session: Session, name: string, flags: WriteFlags): Promise<void> {
  const port = await open(session);
  const { toVersion } = flags;
  const changes = await port.history(name, 2_000);
  const change = toVersion === undefined ? changes[0] : changes.find(({ version }) => version === toVersion);
  const next = toVersion === undefined ? change?.before : change?.after;
  await write(session, port, name, flags, next, (how) => port.restoreCursor(name, toVersion, how));
}

/** Shows and asks on a terminal, writes, and prints both cursors. */
async function write(
  session: Session,
  port: SensorsPort,
  name: string,
  { reason, ifVersion, yes }: WriteFlags,
  next: Json | undefined,
  store: (how: CursorWrite) => Promise<void>,
): Promise<void> {
  const before = await port.cursor(name);
  if (isInteractive()) {
    showDiff(session, before.cursor, next);
    if (yes !== true && !(await confirm(`Write the cursor of ${name}?`)))
      throw new RefusedError('Nothing was written.');
  }
  await store({ reason, ifVersion });
  const { cursor, version, generation } = await port.cursor(name);
  session.print({ sensor: name, version, generation, cursor_before: before.cursor, cursor }, () => [
    `${name} is at version ${version}`,
  ]);
}

function showDiff(session: Session, before: Json, after: Json | undefined): void {
  const changes = diffJson(before, after);
  if (changes.length === 0) session.note('The cursor is the same already.');
  for (const change of changes) {
    const path = change.path === '' ? '' : `${change.path}: `;
    if (change.before !== undefined) session.note(paintNote.red(`- ${path}${JSON.stringify(change.before)}`));
    if (change.after !== undefined) session.note(paintNote.green(`+ ${path}${JSON.stringify(change.after)}`));
  }
}

async function history(session: Session, name: string, limit: number): Promise<void> {
  const changes = await (await open(session)).history(name, limit);
  session.print({ sensor: name, changes: changes.map((one) => ({ ...one })) }, () =>
    changes.length === 0
      ? ['no changes']
      : table(
          ['VERSION', 'AT', 'BY', 'REASON', 'CURSOR'],
          changes.map((one) => [
            String(one.version),
            time(one.at),
            one.by,
            shorten(one.reason, 40),
            shorten(JSON.stringify(one.after), 80),
          ]),
        ),
  );
}
