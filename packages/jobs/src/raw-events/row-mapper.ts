/**
 * The thread that parses, maps and serialises raw rows, so that meanwhile the process reads the next page and sends the
 * last one. One for all days of a process: it takes as long to start as 20,000 rows take to map. Pages are answered in
 * the order in which they were given.
 */

import { Worker as Thread } from 'node:worker_threads';

import { ServiceError, provide, resource } from '@skein/orchestrator';

import type { MappedRows, RowsToMap } from './map-rows.ts';
import { CHUNK_BYTES, type TextChunk } from './text-bytes.ts';

export interface RowMapper {
  /** @throws ServiceError when the thread ended before it answered; the next call starts another one */
  map(rows: RowsToMap): Promise<MappedRows>;
  /** Gives texts back whose messages have been sent: new memory for each page would cost more than what is written there. */
  reuse(texts: readonly TextChunk[]): void;
  close(): Promise<void>;
}

export const rawEventsMapper = resource<RowMapper>('raw-events-mapper', 'The thread that maps raw events');

export const rawEventsMapperBinding = provide(rawEventsMapper, {
  open: async () => openRowMapper(),
  close: (mapper) => mapper.close(),
  ping: async () => 'a thread, started at first use',
});

/** A larger one is a tenth faster for unusual rows and, the longer the range, the more memory: 8 stays flat (`npm run bench -- raw-events`). */
const YOUNG_MB = 8;

/** Buffers of `CHUNK_BYTES`. */
export interface UsedUp {
  readonly usedUp: readonly Uint8Array<ArrayBuffer>[];
}

interface Waiting {
  readonly resolve: (mapped: MappedRows) => void;
  readonly reject: (error: ServiceError) => void;
}

/** The thread starts at first use. */
export function openRowMapper(): RowMapper {
  let current: { readonly thread: Thread; readonly waiting: Waiting[] } | undefined;

  const start = () => {
    const thread = new Thread(new URL('./row-mapper-thread.mjs', import.meta.url), {
      // Not those of the process: they would load TypeScript in a way that threads do not take.
      execArgv: ['--conditions=source'],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    const started = { thread, waiting: [] as Waiting[] };
    const end = (why: string) => {
      if (current === started) current = undefined;
      void thread.terminate();
      for (const { reject } of started.waiting.splice(0)) reject(ended(why));
    };
    thread.on('message', (mapped: MappedRows) => started.waiting.shift()?.resolve(mapped));
    thread.on('messageerror', (error) => end(error.message));
    thread.on('error', (error) => end(error.message));
    thread.on('exit', (code) => end(`exit code ${code}`));
    return started;
  };

  return {
    map: (rows) =>
      new Promise((resolve, reject) => {
        const { thread, waiting } = (current ??= start());
        thread.postMessage(rows);
        waiting.push({ resolve, reject });
      }),
    reuse(texts) {
      const usedUp = texts.flatMap(({ bytes }) => (bytes.length === CHUNK_BYTES ? [bytes] : []));
      const message: UsedUp = { usedUp };
      current?.thread.postMessage(
        message,
        usedUp.map(({ buffer }) => buffer),
      );
    },
    async close() {
      await current?.thread.terminate();
    },
  };
}

function ended(why: string): ServiceError {
  return new ServiceError(
    'raw-events-mapper',
    `The thread that maps raw events ended: ${why}. The next attempt goes on from the last page; if memory ran out, set a smaller batch_size.`,
  );
}
