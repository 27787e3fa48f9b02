/** Pages of partitions as one list. */

import type { ShownPartition } from './partitions.ts';

/** What one question takes. */
const PAGE = 500;

/** Page after page, until there are enough. A page may be short, even empty, while there are more. */
export async function takePages(
  limit: number,
  page: (after: string | undefined, limit: number) => Promise<{ items: ShownPartition[]; next: string | null }>,
): Promise<ShownPartition[]> {
  const found: ShownPartition[] = [];
  for (let after: string | null | undefined; after !== null && found.length < limit;) {
    const { items, next }: Awaited<ReturnType<typeof page>> = await page(after, Math.min(PAGE, limit - found.length));
    found.push(...items);
    after = next;
  }
  return found;
}
