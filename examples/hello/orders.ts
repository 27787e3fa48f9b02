/** The shops' orders as files, one a day: what the asset reads and where it writes. */

import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { provide, resource } from '@skein/orchestrator';

export interface Orders {
  /** Lines without their header; undefined when the shop delivered nothing that day. */
  read(shopId: number, day: string): Promise<string[] | undefined>;
  /** Days for which any shop has delivered, in order. */
  days(): Promise<string[]>;
  shopsOf(day: string): Promise<string[]>;
  /** Replaces the total that was there: doing it twice does no harm. */
  writeTotal(key: string, total: { readonly orders: number; readonly cents: number }): Promise<void>;
}

export const orders = resource<Orders>('orders', 'The shops’ orders, in the folder HELLO_DATA');

export const ordersBinding = provide(orders, {
  open: async ({ env }) => openOrders(env.HELLO_DATA ?? path.join(import.meta.dirname, 'data')),
  ping: async (opened) => `${(await opened.days()).length} days`,
});

function openOrders(root: string): Orders {
  const files = async () => {
    const names = await readdir(path.join(root, 'orders'), { recursive: true });
    return names.filter((name) => name.endsWith('.csv')).map((name) => path.parse(name));
  };
  return {
    async read(shopId, day) {
      try {
        const text = await readFile(path.join(root, 'orders', String(shopId), `${day}.csv`), 'utf8');
        return text.trim().split('\n').slice(1);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    days: async () => [...new Set((await files()).map(({ name }) => name))].sort(),
    shopsOf: async (day) => (await files()).flatMap(({ name, dir }) => (name === day ? [dir] : [])).sort(),
    async writeTotal(key, total) {
      const file = path.join(root, 'totals', `${key}.json`);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(`${file}.new`, `${JSON.stringify(total)}\n`);
      await rename(`${file}.new`, file);
    },
  };
}
