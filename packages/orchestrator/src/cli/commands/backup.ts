/** `skein backup`: the ledger as one file, and whether a file is sound. */

import path from 'node:path';

import { type Command, Option } from 'commander';

import { parseDurationMs } from '../../definitions/duration.ts';
import { leaf } from '../help.ts';
import type { RunAction, Session } from '../session.ts';
import { duration, pairs } from '../terminal.ts';

interface Flags {
  readonly to?: string;
  readonly maxPause?: number;
}

export function registerBackup(program: Command, run: RunAction): void {
  const backup = leaf(program, 'backup', 'write the ledger into one file, as it is in one instant', [
    'skein backup',
    'skein backup --to /var/backups/skein.jsonl.gz',
    'skein backup --to s3://my-bucket/skein/today.jsonl.gz',
    'skein backup verify /var/backups/skein.jsonl.gz',
  ])
    .option('--to <place>', 'a file or s3://bucket/key; default: a new file in SKEIN_BACKUP_URL, or .skein/backups')
    .addOption(
      new Option('--max-pause <duration>', 'how long writes may wait; default: what no lease is lost by').argParser(
        parseDurationMs,
      ),
    )
    .action((flags: Flags) => run((session) => take(session, flags)));
  leaf(backup, 'verify <place>', 'read a backup to its end: shapes of records, indexes, a recount of its counters', [
    'skein backup verify skein.jsonl.gz',
  ]).action((place: string) => run((session) => verify(session, place)));
}

async function take(session: Session, flags: Flags): Promise<void> {
  const [{ createBackup }, { backupName }, { longestPauseMs }, { readHistorySettings }] = await Promise.all([
    import('../../history/backup/backup.ts'),
    import('../../history/backup/hourly.ts'),
    import('../../history/backup/snapshot.ts'),
    import('../../history/settings.ts'),
  ]);
  const engine = await session.engine();
  const { backup, backupPassword } = readHistorySettings(session.env);
  const place = flags.to ?? `${backup?.root ?? path.resolve('.skein', 'backups')}/${backupName(new Date())}`;
  const made = await createBackup(engine, place, { maxPauseMs: flags.maxPause ?? longestPauseMs(engine.settings) });
  await session.audit({ action: 'skein backup', target: `backup:${place}` });
  const encrypted = backupPassword !== undefined;
  session.print({ place, bytes: made.bytes, records: made.records, pause_ms: made.pauseMs, encrypted }, () =>
    pairs([
      ['backup', `${place}${encrypted ? '' : ', not encrypted (SKEIN_BACKUP_PASSWORD)'}`],
      ['size', `${made.bytes} bytes, ${made.records} records`],
      ['writes waited', duration(made.pauseMs)],
    ]),
  );
}

async function verify(session: Session, place: string): Promise<void> {
  const [{ verifyBackup }, { withBackup }, { readHistorySettings }] = await Promise.all([
    import('../../history/backup/verify.ts'),
    import('../../history/backup/place.ts'),
    import('../../history/settings.ts'),
  ]);
  const settings = readHistorySettings(session.env);
  const report = await withBackup(settings, place, (file) => verifyBackup(file, settings.backupPassword));
  const { createdAt: created_at, problems, problemCount: problem_count, ...counts } = report;
  const sound = problem_count === 0;
  session.print({ ok: sound, created_at, ...counts, problem_count, problems: [...problems] }, () => [
    ...pairs([
      ['backup', sound ? 'sound' : `${problem_count} problems`],
      ['taken', created_at],
      ['holds', `${counts.records} records, ${counts.runs} runs, ${counts.partitions} partitions with a state`],
    ]),
    ...problems,
  ]);
  session.exitWith(sound ? 0 : 1);
}
