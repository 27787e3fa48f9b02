/**
 * What a backup is: gzip of JSON lines, encrypted where there is a password. First a header, then records of keys by type,
 * last a line with their number, so that a file that was cut off is known for one. Keys are without the ledger's prefix. A
 * large key has several records.
 */

import { pipeline } from 'node:stream';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';

import { RequestError } from '../../definitions/errors.ts';
import { openSealed } from './encryption.ts';
import { BackupInvalidError } from './invalid.ts';

export const BACKUP_VERSION = 1;

export interface BackupHeader {
  readonly skein_backup: number;
  readonly state_version: number;
  readonly prefix: string;
  readonly created_at: string;
}

export interface BackupEnd {
  readonly end: true;
  readonly records: number;
}

export type KeyType = 'string' | 'hash' | 'set' | 'zset' | 'list' | 'stream';

export interface BackupRecord {
  /** The key without the prefix of the ledger and its colon. */
  readonly k: string;
  readonly t: KeyType;
  /**
   * string: its bytes in base64; hash: field, value, …; set and list: members; zset: member, score, …;
   * stream: id, number of texts, the texts, …
   */
  readonly v: readonly string[];
  /** Milliseconds that the key still has. */
  readonly ttl?: number;
}

/** Keys that a backup leaves out: the queue is rung again from the outbox; the rest belongs to processes of the moment. */
export function isLeftOut(key: string): boolean {
  return /^(bull:|workers$|workers:|pulse$|lock:|session:)/.test(key);
}

/**
 * Streams a backup; `header` comes first, then records. The end is checked when it is reached.
 * @param password of one that is encrypted
 * @throws BackupInvalidError
 */
export async function* readBackup(
  file: string,
  password: string | undefined,
): AsyncGenerator<BackupHeader | BackupRecord> {
  const source = await openSealed(file, password).catch((error: unknown) => {
    throw error instanceof RequestError ? error : unreadable(error);
  });
  const unpacked = pipeline(source, createGunzip(), () => {}); // told by `errored`
  let records = -1; // the header does not count
  let end: BackupEnd | undefined;
  try {
    for await (const line of createInterface({ input: unpacked, crlfDelay: Infinity })) {
      const entry = JSON.parse(line) as BackupHeader | BackupRecord | BackupEnd;
      if (records < 0) checkHeader(entry);
      if ('end' in entry) end = entry;
      else {
        records++;
        yield entry;
      }
    }
    if (unpacked.errored) throw unpacked.errored;
  } catch (error) {
    if (error instanceof RequestError) throw error;
    throw unreadable(error);
  } finally {
    source.destroy();
    unpacked.destroy();
  }
  if (end?.records !== records)
    throw new BackupInvalidError('The backup is not complete: its end is missing. Take another one.');
}

function checkHeader(entry: object): void {
  const version = 'skein_backup' in entry ? Number(entry.skein_backup) : Number.NaN;
  if (!Number.isInteger(version)) throw new BackupInvalidError('The file is not a backup of Skein.');
  if (version > BACKUP_VERSION)
    throw new BackupInvalidError(
      `The backup is of a newer Skein (format ${version}, this one knows ${BACKUP_VERSION}). Upgrade this installation.`,
    );
}

function unreadable(error: unknown): BackupInvalidError {
  const code = (error as { code?: unknown } | null)?.code;
  if (error instanceof Error && /unable to authenticate/.test(error.message))
    return new BackupInvalidError('The backup is damaged, or somebody changed it: its seal does not fit.');
  if (code === 'ENOENT') return new BackupInvalidError('There is no such file.');
  if (code === 'Z_DATA_ERROR') return new BackupInvalidError('The file is not a backup of Skein, or it is damaged.');
  return new BackupInvalidError(`The backup cannot be read (${typeof code === 'string' ? code : 'malformed line'}).`);
}
