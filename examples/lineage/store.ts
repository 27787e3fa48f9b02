/** Where the example keeps its figures: one JSON file a key, in the folder LINEAGE_DATA. */

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { provide, resource } from '@skein/orchestrator';

export interface Store {
  /** Undefined when nothing was written under this key. */
  read(asset: string, key: string): Promise<number | undefined>;
  /** Replaces what was there: doing it twice does no harm. */
  write(asset: string, key: string, value: number): Promise<void>;
}

export const store = resource<Store>('store', 'The example’s figures, in the folder LINEAGE_DATA');

export const storeBinding = provide(store, {
  open: async ({ env }) => openStore(env.LINEAGE_DATA ?? path.join(import.meta.dirname, 'data')),
});

function openStore(root: string): Store {
  const fileOf = (asset: string, key: string) => path.join(root, asset, `${key}.json`);
  return {
    async read(asset, key) {
      try {
        return JSON.parse(await readFile(fileOf(asset, key), 'utf8')) as number;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async write(asset, key, value) {
      const file = fileOf(asset, key);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(`${file}.new`, `${value}\n`);
      await rename(`${file}.new`, file);
    },
  };
}
