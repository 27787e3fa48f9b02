/** A directory as object store: buckets are its folders. Keys cannot leave their bucket. */

import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { RefusedError, ServiceError } from '@skein/orchestrator';

import type { Bucket, StoredObject } from './object-store.ts';

/** @throws RefusedError when the key would lead out of the bucket */
export function fileUrl(root: string, bucket: string, key: string): string {
  const base = resolve(root, bucket);
  const path = resolve(base, key);
  if (!base.startsWith(resolve(root)) || (path !== base && !path.startsWith(`${base}/`)))
    throw new RefusedError(`The key “${key}” leads out of the bucket ${bucket}.`);
  // DuckLake tells a folder by its closing slash.
  return key.endsWith('/') ? `${path}/` : path;
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
    list: (prefix) => listFiles(at(''), prefix),
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

async function* listFiles(base: string, prefix: string): AsyncGenerator<StoredObject> {
  // A prefix need not end at a folder: list its folder, then filter.
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  for (const entry of await readdir(join(base, folder), { recursive: true, withFileTypes: true }).catch(
    (error: unknown) => emptyWhenAbsent(join(base, folder), error),
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
