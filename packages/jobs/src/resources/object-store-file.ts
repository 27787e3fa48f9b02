/**
 * A directory as object store: buckets are its folders. A key is a path of plain segments; neither it nor a symbolic link
 * on its way leads out of its bucket.
 */

import { realpathSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';

import { RefusedError, ServiceError } from '@skein/orchestrator';

import type { Bucket, StoredObject } from './object-store.ts';

/** As S3 has it. */
const MAX_KEY_BYTES = 1_024;

/** @throws RefusedError when the key would lead out of the bucket, or would not be one to S3 */
export function fileUrl(root: string, bucket: string, key: string): string {
  const base = resolve(root, bucket);
  const path = resolve(base, key);
  const leadsOut =
    !isSegment(bucket) || key.startsWith('/') || key.split('/').some((one) => one === '..' || one === '.');
  if (leadsOut || !isWithin(realPlace(base), realPlace(path)))
    throw new RefusedError(`The key “${key.slice(0, 200)}” leads out of the bucket ${bucket.slice(0, 80)}.`);
  // A folder does not tell “a//b” from “a/b”; S3 does.
  if (key.includes('//') || key.includes('\0') || Buffer.byteLength(key) > MAX_KEY_BYTES)
    throw new RefusedError(
      `The key “${key.slice(0, 200)}” is none: at most ${MAX_KEY_BYTES} bytes, without empty parts and control characters.`,
    );
  // DuckLake tells a folder by its closing slash.
  return key.endsWith('/') ? `${path}/` : path;
}

function isSegment(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name);
}

/** By whole segments: `team-a` does not hold `team-ab`. */
function isWithin(base: string, path: string): boolean {
  return path === base || path.startsWith(base + sep);
}

/** Where a path really lies: what of it exists is followed, the rest is what will be made there. */
function realPlace(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const parent = dirname(path);
    const code = (error as NodeJS.ErrnoException).code;
    if (parent === path || (code !== 'ENOENT' && code !== 'ENOTDIR')) return path;
    return join(realPlace(parent), path.slice(parent.length));
  }
}

export function createFileBucket(root: string, bucket: string): Bucket {
  const at = (key: string) => fileUrl(root, bucket, key);
  const attempt = async <T>(operation: string, key: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw refused(operation, at(key), error);
    }
  };
  return {
    list: (prefix) => listFiles(at(''), at(folderOf(prefix)), prefix),
    put: (key, body) =>
      attempt('write', key, async () => {
        await mkdir(dirname(at(key)), { recursive: true });
        await writeFile(at(key), body);
      }),
    get: (key) => attempt('read', key, () => readFile(at(key), 'utf8')),
    bytes: (key) => attempt('look at', key, async () => (await stat(at(key)).catch(ignoreAbsent))?.size),
    delete: (key) => attempt('delete', key, () => rm(at(key), { force: true })),
    close() {},
  };
}

/** A prefix need not end at a folder: its folder is listed, then filtered. */
function folderOf(prefix: string): string {
  return prefix.slice(0, prefix.lastIndexOf('/') + 1);
}

async function* listFiles(base: string, folder: string, prefix: string): AsyncGenerator<StoredObject> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) =>
    emptyWhenAbsent(folder, error),
  )) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const key = path.slice(base.length + 1);
    if (!key.startsWith(prefix)) continue;
    const found = await stat(path).catch(ignoreAbsent);
    if (found) yield { key, bytes: found.size, modifiedAt: found.mtime };
  }
}

function ignoreAbsent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw error;
}

function emptyWhenAbsent(path: string, error: unknown): never[] {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
  throw refused('list', path, error);
}

function refused(operation: string, path: string, error: unknown): ServiceError {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
  return new ServiceError(
    's3',
    `The object store (SKEIN_OBJECT_STORE) does not let Skein ${operation} ${path}: ${code}.`,
    {
      retryable: code !== 'EACCES' && code !== 'EROFS' && code !== 'EPERM',
      details: { path, operation },
    },
  );
}
