/**
 * One S3 bucket through the AWS SDK, with credentials that are asked for at every request and so never stale. What is
 * refused is asked once more with new ones, where there are others: AWS refuses revoked credentials before their end.
 */

import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { ServiceError } from '@skein/orchestrator';

import type { Bucket, S3Settings, StoredObject } from './object-store.ts';
import type { CredentialSource, Credentials } from './sts.ts';

/** A connection on which nothing moves for so long is given up; the SDK tries twice more, on others. */
const SILENCE_MS = 60_000;
const CONNECT_MS = 10_000;

export interface BucketOptions {
  /** Ends what is under way. */
  readonly signal?: AbortSignal | undefined;
  readonly silenceMs?: number;
}

export function createS3Bucket(
  s3: S3Settings,
  place: { readonly bucket: string; readonly region: string },
  credentials: CredentialSource,
  { signal, silenceMs = SILENCE_MS }: BucketOptions = {},
): Bucket {
  const { bucket } = place;
  let used: Credentials | undefined;
  const identity = async () => {
    used = await credentials.current();
    const { accessKeyId, secretAccessKey, sessionToken } = used;
    return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  };
  const client = new S3Client({
    region: place.region,
    ...(s3.endpoint === undefined ? {} : { endpoint: s3.endpoint, forcePathStyle: true }),
    // Who holds them, and until when, is ours; the SDK would keep them until they end.
    credentials: Object.assign(identity, { memoized: true }),
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: silenceMs },
  });
  const until = signal === undefined ? {} : { abortSignal: signal };
  const attempt = async <T>(operation: string, key: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work().catch((error: unknown) => {
        if (!isRefusal(error) || used === undefined || !credentials.refused(used)) throw error;
        return work();
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw refused(operation, `s3://${bucket}/${key}`, error);
    }
  };

  return {
    async *list(prefix): AsyncGenerator<StoredObject> {
      let token: string | undefined;
      do {
        const page = await attempt('list', prefix, () =>
          client.send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: prefix,
              ...(token === undefined ? {} : { ContinuationToken: token }),
            }),
            until,
          ),
        );
        for (const object of page.Contents ?? []) {
          if (object.Key !== undefined)
            yield { key: object.Key, bytes: object.Size ?? 0, modifiedAt: object.LastModified ?? new Date() };
        }
        token = page.NextContinuationToken;
      } while (token !== undefined);
    },
    put: async (key, body) =>
      void (await attempt('write', key, () =>
        client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }), until),
      )),
    get: (key) =>
      attempt('read', key, async () => {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }), until);
        return (await Body?.transformToString()) ?? '';
      }),
    bytes: (key) =>
      attempt('look at', key, async () => {
        try {
          return (await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }), until)).ContentLength ?? 0;
        } catch (error) {
          if (statusOf(error) === 404) return undefined;
          throw error;
        }
      }),
    delete: async (key) =>
      void (await attempt('delete', key, () =>
        client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }), until),
      )),
    close: () => client.destroy(),
  };
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata?.httpStatusCode;
}

/** 400 is what AWS answers to a token that has expired; a HEAD request says no more than that. */
function isRefusal(error: unknown): boolean {
  const status = statusOf(error);
  return status === 400 || status === 401 || status === 403;
}

function refused(operation: string, url: string, error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  const status = statusOf(error);
  const name = (error as { name?: string } | null)?.name ?? 'unknown reason';
  return new ServiceError(
    's3',
    `S3 does not let Skein ${operation} ${url}: ${name}${status === undefined ? '' : ` (HTTP ${status})`}.`,
    {
      retryable: status === undefined || status >= 500 || status === 429,
      details: { url, operation },
    },
  );
}
