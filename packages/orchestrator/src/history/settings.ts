/** Where history and backups lie and how long runs stay in the ledger. Read from the environment by zod, apart from the engine's. */

import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { z } from 'zod';

import type { Environment } from '../definitions/deployment.ts';
import { parseDurationMs } from '../definitions/duration.ts';
import { EnvironmentInvalidError } from '../definitions/errors.ts';
import { MIN_SECRET_CHARACTERS, readSecretFile } from '../engine/secret-file.ts';

/** Below this, runs would leave while people still look at them. */
const MIN_RETENTION_MS = 60_000;

const place = z
  .string()
  .regex(/^(file:\/\/\/|s3:\/\/[a-z0-9.-]{3,63}(\/|$))/, 'must be file:///directory or s3://bucket/prefix');
const length = (most: string) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, 'must be a number and a unit, such as 30d or 12h')
    .default(most)
    .transform((text) => parseDurationMs(text))
    .refine((ms) => ms >= MIN_RETENTION_MS, 'must be at least 1m');

const HistoryEnvironment = z.object({
  SKEIN_HISTORY_URL: place.optional(),
  SKEIN_RETENTION: length('30d'),
  SKEIN_BACKUP_URL: place.optional(),
  SKEIN_BACKUP_KEEP: length('35d'),
  SKEIN_BACKUP_PASSWORD: z
    .string()
    .min(MIN_SECRET_CHARACTERS, `must have at least ${MIN_SECRET_CHARACTERS} characters`)
    .optional(),
  SKEIN_BACKUP_PASSWORD_FILE: z.string().optional(),
  SKEIN_DUCKDB_EXTENSIONS: z.string().optional(),
  AWS_ACCESS_KEY_ID: z.string().optional(),
  AWS_SECRET_ACCESS_KEY: z.string().optional(),
  AWS_SESSION_TOKEN: z.string().optional(),
  AWS_REGION: z.string().optional(),
  AWS_DEFAULT_REGION: z.string().optional(),
  AWS_ENDPOINT_URL_S3: z.string().optional(),
  AWS_ENDPOINT_URL: z.string().optional(),
});

export interface S3Access {
  readonly keyId: string;
  readonly secret: string;
  readonly sessionToken: string | undefined;
  readonly region: string;
  /** Undefined: AWS itself. */
  readonly endpoint: string | undefined;
}

export interface HistorySettings {
  /** An absolute directory, or `s3://bucket/prefix`, without a slash at its end. */
  readonly root: string;
  readonly retentionMs: number;
  /** Where a backup goes every hour, and how long it stays there; undefined: nobody takes them by themselves. */
  readonly backup: { readonly root: string; readonly keepMs: number } | undefined;
  /** Undefined: backups are not encrypted. */
  readonly backupPassword: string | undefined;
  /** Undefined: DuckDB's own directory, filled from its repository. */
  readonly extensionDirectory: string | undefined;
  /** Undefined where no keys are set: S3 then cannot be reached. */
  readonly s3: S3Access | undefined;
}

/** @throws EnvironmentInvalidError that lists every mistake by the variable's name */
export function readHistorySettings(env: Environment): HistorySettings {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = HistoryEnvironment.safeParse(set);
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new EnvironmentInvalidError(`The environment is not valid: ${mistakes.join('; ')}.`, {
      details: { mistakes },
    });
  }
  const e = parsed.data;
  return {
    root: rootOf(e.SKEIN_HISTORY_URL),
    retentionMs: e.SKEIN_RETENTION,
    backup:
      e.SKEIN_BACKUP_URL === undefined ? undefined : { root: rootOf(e.SKEIN_BACKUP_URL), keepMs: e.SKEIN_BACKUP_KEEP },
    backupPassword:
      e.SKEIN_BACKUP_PASSWORD ?? readSecretFile('SKEIN_BACKUP_PASSWORD_FILE', e.SKEIN_BACKUP_PASSWORD_FILE, 'password'),
    extensionDirectory: e.SKEIN_DUCKDB_EXTENSIONS,
    s3:
      e.AWS_ACCESS_KEY_ID === undefined || e.AWS_SECRET_ACCESS_KEY === undefined
        ? undefined
        : {
            keyId: e.AWS_ACCESS_KEY_ID,
            secret: e.AWS_SECRET_ACCESS_KEY,
            sessionToken: e.AWS_SESSION_TOKEN,
            region: e.AWS_REGION ?? e.AWS_DEFAULT_REGION ?? 'us-east-1',
            endpoint: e.AWS_ENDPOINT_URL_S3 ?? e.AWS_ENDPOINT_URL,
          },
  };
}

export function isS3(place: string): boolean {
  return place.startsWith('s3://');
}

function rootOf(url: string | undefined): string {
  if (url === undefined) return path.resolve('.skein', 'history');
  if (isS3(url)) return url.replace(/\/+$/, '');
  return path.resolve(fileURLToPath(url));
}
