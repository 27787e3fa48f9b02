/**
 * Owns counting what an `INSERT … SELECT` wrote. The engine reports only what it read, but counts inserted rows for the
 * whole process; the difference is this statement's when no other one wrote meanwhile. Otherwise the number is not
 * known, and none is given.
 */

import type { Engine } from './engine.ts';

export interface WrittenRows {
  /** Runs an INSERT and tells how many rows it wrote, or undefined when that cannot be known. */
  count<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly rows: number | undefined }>;
  /** Runs other writing that counts itself. */
  during<T>(work: () => Promise<T>): Promise<T>;
}

export function createWrittenRows(engine: Engine): WrittenRows {
  let writing = 0;
  let begun = 0;

  const during = async <T>(work: () => Promise<T>): Promise<T> => {
    writing++;
    begun++;
    try {
      return await work();
    } finally {
      writing--;
    }
  };

  return {
    during,
    async count(work) {
      const alone = writing === 0;
      const mine = begun + 1;
      return during(async () => {
        const before = alone ? await insertedRows(engine) : undefined;
        const value = await work();
        const after = before !== undefined && begun === mine ? await insertedRows(engine) : undefined;
        const known = before !== undefined && after !== undefined && begun === mine;
        return { value, rows: known ? after - before : undefined };
      });
    },
  };
}

/** Undefined while Kafka tables exist: their consumers write in the background. */
async function insertedRows(engine: Engine): Promise<number | undefined> {
  const result = await engine.base.queryAsync(
    "SELECT (SELECT sum(value) FROM system.events WHERE event = 'InsertedRows'), (SELECT count() FROM system.tables WHERE engine IN ('Kafka', 'S3Queue', 'Buffer'))",
    { format: 'TabSeparated' },
  );
  const [rows, streams] = result.text().trim().split('\t').map(Number);
  return streams === 0 ? rows : undefined;
}
