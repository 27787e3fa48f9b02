/**
 * Owns the object store. Plain `services up` gives a directory, which is all that the demo needs; asked for by name it
 * is moto, an S3 with STS and IAM. moto keeps objects in memory: they are gone when it stops.
 */

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { startMoto } from './moto.ts';
import type { Service } from './service.ts';

export const s3: Service = {
  name: 's3',
  variables: ['SKEIN_OBJECT_STORE'],
  stopSignal: 'SIGTERM',
  async start({ dir, log, previous, progress }) {
    const moto = await startMoto({ dir, log, port: previous?.port }, progress);
    return {
      process: moto.process,
      port: moto.port,
      env: {
        AWS_ENDPOINT_URL: moto.url,
        AWS_ACCESS_KEY_ID: moto.key.accessKeyId,
        AWS_SECRET_ACCESS_KEY: moto.key.secretAccessKey,
        AWS_REGION: moto.region,
        SKEIN_OBJECT_STORE: 's3://',
      },
      log,
      up: true,
    };
  },
};

export const objectDirectory: Service = {
  ...s3,
  async start({ dir }) {
    const objects = path.join(dir, 'objects');
    mkdirSync(objects, { recursive: true });
    return { env: { SKEIN_OBJECT_STORE: pathToFileURL(objects).href }, up: true };
  },
};
