/** A backup of the ledger, taken and put into its place. */

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { appendFile, writeFile } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

import type { Engine } from '../../engine/engine.ts';
import { readHistorySettings } from '../settings.ts';
import { createSeal } from './encryption.ts';
import { putBackup } from './place.ts';
import { type SnapshotCounts, takeSnapshot } from './snapshot.ts';

export interface BackupResult extends SnapshotCounts {
  readonly place: string;
  readonly bytes: number;
}

/** Low, because writes of the ledger wait meanwhile; higher levels make it a tenth smaller. */
const GZIP_LEVEL = 3;

/** @param place a file or `s3://bucket/key` */
export async function createBackup(
  engine: Engine,
  place: string,
  options: { readonly maxPauseMs: number },
): Promise<BackupResult> {
  let counts: SnapshotCounts = { records: 0, pauseMs: 0 };
  const settings = readHistorySettings(engine.env);
  const bytes = await putBackup(settings, place, async (file) => {
    const seal = settings.backupPassword === undefined ? undefined : await createSeal(settings.backupPassword);
    const gzip = createGzip({ level: GZIP_LEVEL });
    // Holds the whole ledger, and so configs: for its owner only.
    await writeFile(file, seal?.head ?? '', { mode: 0o600 });
    const stored = pipeline(gzip, seal?.cipher ?? new PassThrough(), createWriteStream(file, { flags: 'a' }));
    stored.catch(() => {}); // told below; it may fail while nothing waits for it
    try {
      counts = await takeSnapshot(
        engine,
        async (line) => {
          if (!gzip.write(`${JSON.stringify(line)}\n`)) await Promise.race([once(gzip, 'drain'), stored]);
        },
        options,
      );
      gzip.end();
      await stored;
      if (seal) await appendFile(file, seal.cipher.getAuthTag());
    } catch (error) {
      gzip.destroy();
      await stored.catch(() => {});
      throw error;
    }
  });
  // What says how old the last one is; by Redis's clock, as everything that is compared.
  const [seconds] = await engine.redis.time();
  await engine.redis.hset(engine.keys.meta, 'backup_at', Number(seconds) * 1_000);
  return { ...counts, place, bytes };
}
