/** Redis for one test: a prefix that keeps its keys apart. */

import { requireService, uniqueName } from './availability.ts';

export interface TestRedis {
  readonly url: string;
  readonly prefix: string;
}

export function testRedis(): TestRedis {
  return { url: requireService('redis'), prefix: uniqueName('test') };
}
