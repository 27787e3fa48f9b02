/**
 * `skein sensors cursor …`: a sensor's cursor as people read and write it. Every write is checked against the schema,
 * versioned and remembered; on a terminal it shows what changes and asks, elsewhere it asks nothing.
 */

import type { Command } from 'commander';

import { lookUp } from '../../definitions/deployment.ts';
import { RefusedError } from '../../definitions/errors.ts';
import type { Json } from '../../definitions/json.ts';
import type { CursorChange } from '../../engine/cursor.ts';
import type { Engine } from '../../engine/engine.ts';
import { group, leaf } from '../help.ts';
import { diffJson } from '../json-diff.ts';
import { readJsonArgument, wholeNumber } from '../parse-arguments.ts';
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

async function get(session: Session, name: string): Promise<void> {
  lookUp('sensor', session.deployment.sensors, name);
  const { getCursor } = await import('../../engine/cursor.ts');
  const { cursor, version, generation } = await getCursor(await session.engine(), name);
  session.print({ sensor: name, cursor, version, generation }, () => [JSON.stringify(cursor, null, 2)]);
  if (!session.json) session.note(`version ${version}, generation ${generation}`);
}

async function set(session: Session, name: string, text: string, flags: WriteFlags): Promise<void> {
  const sensor = lookUp('sensor', session.deployment.sensors, name);
  const cursor = readJsonArgument('The cursor', text);
  const [{ setCursor }, { readCursor }] = await Promise.all([
    import('../../engine/cursor.ts'),
    import('../../engine/tick.ts'),
  ]);
  readCursor(sensor, cursor); // a wrong one is refused before a question is asked
  await write(session, 'set', name, flags, cursor, (engine) => setCursor(engine, name, cursor, by(session, flags)));
}

async function reset(session: Session, name: string, flags: WriteFlags): Promise<void> {
  const sensor = lookUp('sensor', session.deployment.sensors, name);
  const [{ resetCursor }, { initialCursor }] = await Promise.all([
    import('../../engine/cursor.ts'),
    import('../../engine/register.ts'),
  ]);
  await write(session, 'reset', name, flags, JSON.parse(initialCursor(sensor)) as Json, (engine) =>
    resetCursor(engine, name, by(session, flags)),
  );
}

async function undo(session: Session, name: string, flags: WriteFlags): Promise<void> {
  lookUp('sensor', session.deployment.sensors, name);
  const { cursorHistory, restoreCursor } = await import('../../engine/cursor.ts');
  const changes = await cursorHistory(await session.engine(), name, 2_000);
  const change =
    flags.toVersion === undefined ? changes[0] : changes.find(({ version }) => version === flags.toVersion);
  const next = flags.toVersion === undefined ? change?.before : change?.after;
  await write(session, 'undo', name, flags, next, (engine) =>
    restoreCursor(engine, name, {
      ...by(session, flags),
      ...(flags.toVersion === undefined ? {} : { version: flags.toVersion }),
    }),
  );
}

function by(session: Session, flags: WriteFlags) {
  return {
    by: session.by,
    ...(flags.reason === undefined ? {} : { reason: flags.reason }),
    ...(flags.ifVersion === undefined ? {} : { ifVersion: flags.ifVersion }),
  };
}

/** Shows and asks on a terminal, writes, and prints both cursors. */
async function write(
  session: Session,
  verb: 'set' | 'reset' | 'undo',
  name: string,
  flags: WriteFlags,
  next: Json | undefined,
  store: (engine: Engine) => Promise<{ readonly version: number }>,
): Promise<void> {
  const { getCursor } = await import('../../engine/cursor.ts');
  const engine = await session.engine();
  const before = await getCursor(engine, name);
  if (isInteractive()) {
    showDiff(session, before.cursor, next);
    if (flags.yes !== true && !(await confirm(`Write the cursor of ${name}?`)))
      throw new RefusedError('Nothing was written.');
  }
  const { version } = await store(engine);
  const after = await getCursor(engine, name);
  await session.audit({
    action: `skein sensors cursor ${verb}`,
    target: `sensor:${name}/cursor`,
    reason: flags.reason,
    before: before.cursor,
    after: after.cursor,
  });
  session.print(
    { sensor: name, version, generation: after.generation, cursor_before: before.cursor, cursor: after.cursor },
    () => [`${name} is at version ${version}`],
  );
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
  lookUp('sensor', session.deployment.sensors, name);
  const { cursorHistory } = await import('../../engine/cursor.ts');
  const changes = await cursorHistory(await session.engine(), name, limit);
  session.print({ sensor: name, changes: changes.map(changeJson) }, () =>
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

function changeJson({ version, at, by, reason, before, after }: CursorChange): Json {
  return { version, at: at.toISOString(), by, reason, before, after };
}
