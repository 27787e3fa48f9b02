/** `skein restore`: a backup into an empty ledger. It opens no engine, because that would write into it. */

import type { Command } from 'commander';

import { ServiceError } from '../../definitions/errors.ts';
import { leaf } from '../help.ts';
import type { RunAction, Session } from '../session.ts';
import { confirm, pairs } from '../terminal.ts';
import { INTERRUPTED } from '../interrupts.ts';

export function registerRestore(program: Command, run: RunAction): void {
  leaf(program, 'restore <place>', 'restore a backup into an empty ledger; what worked for the old one is refused', [
    'skein restore /var/backups/skein.jsonl.gz',
    'skein restore s3://my-bucket/skein/today.jsonl.gz --force',
  ])
    .option('--force', 'remove what the ledger holds first, and do not ask for stopped workers')
    .action((place: string, flags: { readonly force?: boolean }) =>
      run((session) => restore(session, place, flags.force === true)),
    );
}

async function restore(session: Session, place: string, force: boolean): Promise<void> {
  const [{ restoreBackup }, { withBackup }, { readHistorySettings }, { readSettings }, { createKeys }, store] =
    await Promise.all([
      import('../../history/backup/restore.ts'),
      import('../../history/backup/place.ts'),
      import('../../history/settings.ts'),
      import('../../engine/settings.ts'),
      import('../../store/keys.ts'),
      import('../../store/redis.ts'),
    ]);
  const { redisUrl, prefix } = readSettings(session.env);
  if (redisUrl === undefined) throw new ServiceError('redis', 'SKEIN_REDIS_URL is not set.');
  if (force && !session.json && !(await confirm(`Remove everything under ${prefix} and restore?`)))
    return session.endWith(INTERRUPTED);
  const keys = createKeys(prefix);
  const redis = await store.connectRedis(redisUrl);
  try {
    await store.checkLedgerRedis(redis, keys, { allowUnsafe: session.allowUnsafeRedis });
    const settings = readHistorySettings(session.env);
    const done = await withBackup(settings, place, (file) =>
      restoreBackup({ redis, keys }, file, { force, password: settings.backupPassword }),
    );
    await session.audit({ action: 'skein restore', target: `backup:${place}`, after: { removed: done.removed } });
    session.print({ records: done.records, created_at: done.createdAt, removed: done.removed }, () =>
      pairs([
        ['restored', `${done.records} records into ${prefix}`],
        ['taken', done.createdAt],
        ['next', 'start workers; what ran when the backup was taken starts again at the first pulse'],
      ]),
    );
  } finally {
    await redis.quit();
  }
}
