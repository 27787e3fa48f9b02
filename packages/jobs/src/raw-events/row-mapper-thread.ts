/** What runs in the thread of `row-mapper.ts`: pages come one by one, and each is answered; between them what is used up. */

import { parentPort } from 'node:worker_threads';

import { type RowsToMap, mapRows } from './map-rows.ts';
import type { UsedUp } from './row-mapper.ts';

const spare: Uint8Array<ArrayBuffer>[] = [];

parentPort?.on('message', (message: RowsToMap | UsedUp) => {
  if ('usedUp' in message) {
    spare.push(...message.usedUp);
    return;
  }
  const mapped = mapRows(message, spare);
  parentPort?.postMessage(
    mapped,
    mapped.texts.map(({ bytes }) => bytes.buffer),
  );
});
