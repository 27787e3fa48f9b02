/**
 * A backup that only who knows its password can read: AES-256-GCM under a key that scrypt makes of the password and a
 * salt. The file is a mark, salt, nonce, a check of the password, the sealed gzip, and the tag that proves it unchanged.
 */

import { type CipherGCM, createCipheriv, createDecipheriv, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';

import { BackupInvalidError } from './invalid.ts';

const MARK = Buffer.from('SKEINBK1');
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const CHECK_BYTES = 16;
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const HEAD_BYTES = MARK.length + SALT_BYTES + NONCE_BYTES + CHECK_BYTES;
/** 32 MiB and a tenth of a second for each guess. */
const COST = { N: 32_768, r: 8, p: 1, maxmem: 64 * 1_048_576 } as const;

export interface Seal {
  /** What the file begins with. */
  readonly head: Buffer;
  /** Between them; its tag is what the file ends with. */
  readonly cipher: CipherGCM;
}

export async function createSeal(password: string): Promise<Seal> {
  const salt = randomBytes(SALT_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const { key, check } = await derive(password, salt);
  return { head: Buffer.concat([MARK, salt, nonce, check]), cipher: createCipheriv('aes-256-gcm', key, nonce) };
}

/**
 * The gzip in a backup, sealed or not. A file that was changed is known for it at its end.
 * @throws BackupInvalidError without the right password; errors of the file system
 */
export async function openSealed(file: string, password: string | undefined): Promise<Readable> {
  const handle = await open(file, 'r');
  let head: Buffer;
  let bytes: number;
  try {
    bytes = (await handle.stat()).size;
    head = await readHead(handle);
  } finally {
    await handle.close();
  }
  if (!head.subarray(0, MARK.length).equals(MARK)) return createReadStream(file);
  if (password === undefined)
    throw new BackupInvalidError('The backup is encrypted. Set SKEIN_BACKUP_PASSWORD, or SKEIN_BACKUP_PASSWORD_FILE.');
  if (bytes < HEAD_BYTES + TAG_BYTES) throw new BackupInvalidError('The backup is not complete.');
  const [salt, nonce, check] = [
    head.subarray(MARK.length, MARK.length + SALT_BYTES),
    head.subarray(MARK.length + SALT_BYTES, HEAD_BYTES - CHECK_BYTES),
    head.subarray(HEAD_BYTES - CHECK_BYTES),
  ];
  const derived = await derive(password, salt);
  if (!timingSafeEqual(derived.check, check))
    throw new BackupInvalidError('The backup was encrypted with another SKEIN_BACKUP_PASSWORD.');
  const decipher = createDecipheriv('aes-256-gcm', derived.key, nonce);
  decipher.setAuthTag(await readTag(file, bytes));
  const sealed = createReadStream(file, { start: HEAD_BYTES, end: bytes - TAG_BYTES - 1 });
  return pipeline(sealed, decipher, () => {}); // who reads it is told
}

async function readHead(handle: FileHandle): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
  return buffer.subarray(0, bytesRead);
}

async function readTag(file: string, bytes: number): Promise<Buffer> {
  const handle = await open(file, 'r');
  try {
    return (await handle.read(Buffer.alloc(TAG_BYTES), 0, TAG_BYTES, bytes - TAG_BYTES)).buffer;
  } finally {
    await handle.close();
  }
}

/** The check is no part of the key, so showing it tells nothing of the key. */
async function derive(password: string, salt: Buffer): Promise<{ readonly key: Buffer; readonly check: Buffer }> {
  const made = await new Promise<Buffer>((resolve, reject) =>
    scrypt(password, salt, KEY_BYTES + CHECK_BYTES, COST, (error, key) => (error ? reject(error) : resolve(key))),
  );
  return { key: made.subarray(0, KEY_BYTES), check: made.subarray(KEY_BYTES) };
}
