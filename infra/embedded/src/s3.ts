/**
 * Owns the object store. Plain `services up` gives a directory, which is all that the demo needs; asked for by name it
 * is moto, an S3 with STS and IAM, or MinIO when `SKEIN_TEST_S3_SERVER` says so. moto keeps objects in memory: they are
 * gone when it stops.
 */

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { startMinio } from './minio.ts';
import { startMoto } from './moto.ts';
import type { Service } from './service.ts';

export const s3: Service = {
  name: 's3',
  variables: ['SKEIN_OBJECT_STORE'],
  stopSignal: 'SIGTERM',
  async start({ dir, log, previous, progress }) {
    // Another implementation, for the opt-in form of the tests.
    const start = process.env.SKEIN_TEST_S3_SERVER === 'minio' ? startMinio : startMoto;
    const store = await start({ dir, log, port: previous?.port }, progress);
    return {
      process: store.process,
      port: store.port,
      env: {
        AWS_ENDPOINT_URL: store.url,
        AWS_ACCESS_KEY_ID: store.key.accessKeyId,
        AWS_SECRET_ACCESS_KEY: store.key.secretAccessKey,
        AWS_REGION: store.region,
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
