/** What runs in the thread of `row-mapper.ts`: pages come one by one, and each is answered. */

import { parentPort } from 'node:worker_threads';

import { type RowsToMap, mapRows } from './map-rows.ts';

parentPort?.on('message', (rows: RowsToMap) => {
  const mapped = mapRows(rows);
  parentPort?.postMessage(
    mapped,
    mapped.texts.map(({ bytes }) => bytes.buffer),
  );
});
