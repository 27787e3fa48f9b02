/**
 * Prepares, before anything is started, what takes long on a fresh machine: `prepare.ts NAME…` fetches everything named
 * at once and prints `{ name: reason }` for what cannot be had.
 */

import { ensureChromium } from './chromium.ts';
import { ensureDuckLakeExtensions } from './ducklake-extensions.ts';
import { messageOf } from './errors.ts';
import { ensureKafkaDistribution } from './kafka.ts';
import { ensureLinters } from './linters.ts';
import { ensureMoto } from './moto.ts';
import { ensureRedis } from './redis.ts';

type Progress = (line: string) => void;

const PREPARATIONS: Readonly<
  Record<string, { readonly given?: string; prepare(progress: Progress): Promise<unknown> }>
> = {
  redis: { given: 'SKEIN_REDIS_URL', prepare: ensureRedis },
  ducklake: { given: 'SKEIN_DUCKDB_EXTENSIONS', prepare: ensureDuckLakeExtensions },
  kafka: { given: 'SKEIN_KAFKA_BROKERS', prepare: ensureKafkaDistribution },
  s3: { prepare: ensureMoto },
  linters: { prepare: ensureLinters },
  chromium: { given: 'SKEIN_CHROMIUM', prepare: ensureChromium },
};

async function main(names: readonly string[]): Promise<void> {
  const missing: Record<string, string> = {};
  await Promise.all(
    names.map(async (name) => {
      const preparation = PREPARATIONS[name];
      if (preparation === undefined) throw new Error(`nothing is known about “${name}”`);
      if (preparation.given !== undefined && process.env[preparation.given]) return;
      try {
        await preparation.prepare((line) => process.stderr.write(`${name}: ${line}\n`));
      } catch (error) {
        missing[name] = messageOf(error);
      }
    }),
  );
  process.stdout.write(JSON.stringify(missing));
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
});
