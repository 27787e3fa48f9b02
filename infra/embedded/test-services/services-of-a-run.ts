/**
 * Starts or stops the services of one test run: `start DIR NAMES` prints the variables for the test workers as JSON,
 * `stop DIR` ends them and removes the directory. What a machine cannot have is passed on by name and reason, so that
 * its tests are reported as not run.
 */

import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { messageOf } from '../src/errors.ts';
import type { ServiceName } from '../src/service.ts';
import { parseServiceNames, removeServicesDirectory, startServices, stopServices } from '../src/services.ts';

async function start(dir: string, names: readonly ServiceName[]): Promise<Record<string, string>> {
  const unavailable: Record<string, string> = {};
  const { env } = await startServices({
    dir,
    only: names,
    progress: (line) => {
      // Only what takes long is worth a line in a test run.
      if (!/: ready after/.test(line)) process.stderr.write(`${line}\n`);
    },
    unavailable: (name, error) => (unavailable[name] = messageOf(error)),
  });
  const objects = path.resolve(dir, 'objects');
  mkdirSync(objects, { recursive: true });
  const {
    AWS_ENDPOINT_URL,
    AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY,
    AWS_REGION,
    SKEIN_OBJECT_STORE: _s3,
    ...rest
  } = env;
  return {
    ...rest,
    // Tests choose S3 by its own variables; everything else writes into a directory.
    SKEIN_OBJECT_STORE: pathToFileURL(objects).href,
    ...(AWS_ENDPOINT_URL === undefined
      ? {}
      : {
          SKEIN_TEST_S3_ENDPOINT: AWS_ENDPOINT_URL,
          SKEIN_TEST_S3_ACCESS_KEY: AWS_ACCESS_KEY_ID ?? '',
          SKEIN_TEST_S3_SECRET_KEY: AWS_SECRET_ACCESS_KEY ?? '',
          SKEIN_TEST_S3_REGION: AWS_REGION ?? '',
        }),
    SKEIN_TEST_UNAVAILABLE: JSON.stringify(unavailable),
  };
}

/** A run that was killed leaves its services behind; the next run ends them. */
async function removeLeftovers(beside: string): Promise<void> {
  const folder = path.dirname(path.resolve(beside));
  for (const name of readdirSync(folder, { withFileTypes: true })) {
    const owner = /^test-(\d+)$/.exec(name.name)?.[1];
    if (owner === undefined || isRunning(Number(owner))) continue;
    const dir = path.join(folder, name.name);
    try {
      await stopServices({ dir });
      removeServicesDirectory(dir);
    } catch {
      // Another run is removing the same directory at this moment.
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function main([command, dir = '', names = '']: string[]): Promise<void> {
  if (command === 'start') {
    mkdirSync(path.resolve(dir), { recursive: true });
    await removeLeftovers(dir);
    process.stdout.write(JSON.stringify(await start(dir, parseServiceNames(names))));
    return;
  }
  await stopServices({ dir });
  removeServicesDirectory(dir);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
});
