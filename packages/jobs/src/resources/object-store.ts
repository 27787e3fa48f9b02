/**
 * Where ducklings' objects lie, by SKEIN_OBJECT_STORE: `file:///data` (an object is `/data/<bucket>/<key>`) or `s3://`
 * (with the AWS variables). It says how ClickHouse, DuckDB and Skein itself each reach the same object.
 */

import { EnvironmentInvalidError } from '@skein/orchestrator';

import { createFileBucket, fileUrl } from './object-store-file.ts';
import { createS3Bucket } from './object-store-s3.ts';
import type { CredentialSource } from './sts.ts';

export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  readonly modifiedAt: Date;
}

/** One bucket, as Skein itself reaches it. Errors are ServiceErrors (`s3`) that name bucket, key and operation. */
export interface Bucket {
  list(prefix: string): AsyncIterable<StoredObject>;
  put(key: string, body: string): Promise<void>;
  get(key: string): Promise<string>;
  /** Undefined when it is not there. */
  bytes(key: string): Promise<number | undefined>;
  /** Not there is as good as deleted. */
  delete(key: string): Promise<void>;
  close(): void;
}

interface ObjectPlace {
  readonly bucket: string;
  readonly region: string;
  readonly key: string;
}

/** A table function of ClickHouse with its bound parameters; keys travel as parameters, never in the text. */
export interface TableFunction {
  readonly sql: string;
  readonly params: Readonly<Record<string, string>>;
}

export interface ObjectStore {
  readonly kind: 'file' | 's3';
  /** For DuckDB, DuckLake and people: `s3://bucket/key` or an absolute path. */
  url(bucket: string, key: string): string;
  /** The object's key, when the URL lies in this bucket. */
  keyOf(bucket: string, url: string): string | undefined;
  forClickHouse(place: ObjectPlace): TableFunction;
  /** @param signal ends what is under way */
  bucket(
    place: { readonly bucket: string; readonly region: string },
    credentials: CredentialSource,
    signal?: AbortSignal,
  ): Bucket;
  readonly s3: S3Settings | undefined;
}

export interface S3Settings {
  /** Of a store that is not Amazon's, such as `http://127.0.0.1:9000`; addressed by path. */
  readonly endpoint: string | undefined;
  readonly stsEndpoint: string | undefined;
  readonly region: string;
  /** Skein's own keys when the environment gives them; otherwise the SDK's chain. */
  readonly own: StaticKeys | undefined;
  /** What ClickHouse is given; undefined: it writes with its own role. */
  readonly clickhouse: StaticKeys | undefined;
}

interface StaticKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

type Env = Readonly<Record<string, string | undefined>>;

/** @throws EnvironmentInvalidError that names the variable */
export function parseObjectStore(env: Env): ObjectStore {
  const root = env.SKEIN_OBJECT_STORE ?? '';
  if (/^s3:\/\/\/?$/.test(root)) return s3Store(s3Settings(env));
  if (!root.startsWith('file:///')) {
    throw new EnvironmentInvalidError(
      root === ''
        ? 'SKEIN_OBJECT_STORE is not set. Write file:///some/directory, or s3:// with the AWS variables.'
        : 'SKEIN_OBJECT_STORE must be file:///some/directory or s3:// (buckets come from the ducklings).',
    );
  }
  return fileStore(decodeURIComponent(new URL(root).pathname).replace(/\/+$/, ''));
}

function fileStore(root: string): ObjectStore {
  return {
    kind: 'file',
    s3: undefined,
    url: (bucket, key) => fileUrl(root, bucket, key),
    keyOf: (bucket, url) => keyBelow(`${root}/${bucket}/`, url.replace(/^file:\/\//, '')),
    forClickHouse: ({ bucket, key }) => ({
      sql: "file({object_path:String}, 'Parquet')",
      params: { object_path: fileUrl(root, bucket, key) },
    }),
    bucket: ({ bucket }) => createFileBucket(root, bucket),
  };
}

function s3Store(s3: S3Settings): ObjectStore {
  return {
    kind: 's3',
    s3,
    url: (bucket, key) => `s3://${bucket}/${key}`,
    keyOf: (bucket, url) => keyBelow(`s3://${bucket}/`, url),
    forClickHouse: (place) => s3Function(s3, place),
    bucket: (place, credentials, signal) => createS3Bucket(s3, place, credentials, { signal }),
  };
}

function s3Function(s3: S3Settings, { bucket, region, key }: ObjectPlace): TableFunction {
  const url =
    s3.endpoint === undefined
      ? `https://${bucket}.s3.${region}.amazonaws.com/${key}`
      : `${s3.endpoint.replace(/\/+$/, '')}/${bucket}/${key}`;
  const keys = s3.clickhouse;
  if (!keys) return { sql: "s3({object_url:String}, 'Parquet')", params: { object_url: url } };
  const params = { object_url: url, s3_key_id: keys.accessKeyId, s3_secret: keys.secretAccessKey };
  if (keys.sessionToken === undefined) {
    return { sql: "s3({object_url:String}, {s3_key_id:String}, {s3_secret:String}, 'Parquet')", params };
  }
  return {
    sql: "s3({object_url:String}, {s3_key_id:String}, {s3_secret:String}, {s3_token:String}, 'Parquet')",
    params: { ...params, s3_token: keys.sessionToken },
  };
}

function keyBelow(prefix: string, url: string): string | undefined {
  return url.startsWith(prefix) ? url.slice(prefix.length) : undefined;
}

function s3Settings(env: Env): S3Settings {
  const own = staticKeys(env, 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN');
  const given = staticKeys(
    env,
    'SKEIN_CLICKHOUSE_S3_ACCESS_KEY_ID',
    'SKEIN_CLICKHOUSE_S3_SECRET_ACCESS_KEY',
    'SKEIN_CLICKHOUSE_S3_SESSION_TOKEN',
  );
  const endpoint = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || undefined;
  return {
    endpoint,
    stsEndpoint: env.AWS_ENDPOINT_URL_STS || env.AWS_ENDPOINT_URL || undefined,
    region: env.AWS_REGION || env.AWS_DEFAULT_REGION || 'us-east-1',
    own,
    clickhouse: given ?? own,
  };
}

function staticKeys(env: Env, idName: string, secretName: string, tokenName: string): StaticKeys | undefined {
  const [accessKeyId, secretAccessKey, sessionToken] = [env[idName], env[secretName], env[tokenName]];
  if (!accessKeyId && !secretAccessKey) return undefined;
  if (!accessKeyId || !secretAccessKey)
    throw new EnvironmentInvalidError(`${idName} and ${secretName} must be set together.`);
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}
