/** Settings of the server: who may come in, and from where. Read from the environment once, by zod. */

import { z } from 'zod';

import type { Environment } from '../definitions/deployment.ts';
import { EnvironmentInvalidError } from '../definitions/errors.ts';
import { MIN_SECRET_CHARACTERS, readSecretFile } from '../engine/secret-file.ts';

type AuthMode = 'none' | 'none-insecure' | 'token';

export interface ApiSettings {
  readonly authMode: AuthMode;
  /** An administrator's token given by the environment, so that there is a first one; hashed before it is kept. */
  readonly rootToken: string | undefined;
  /** Host names, apart from loopback, under which a server without sign-in may be spoken to. */
  readonly allowedHosts: readonly string[];
  /** Behind a proxy that sets X-Forwarded-*; otherwise those headers are ignored. */
  readonly trustProxy: boolean;
  readonly sessionTtlMs: number;
  /** Of one address, over all servers. */
  readonly requestsPerMinute: number;
  /** Clients that one server tells of changes at once. */
  readonly maxStreams: number;
}

const HOUR_MS = 3_600_000;

const Settings = z.object({
  SKEIN_AUTH_MODE: z.enum(['none', 'none-insecure', 'token']).default('none'),
  SKEIN_AUTH_ADMIN_TOKEN: z
    .string()
    .min(MIN_SECRET_CHARACTERS, `must have at least ${MIN_SECRET_CHARACTERS} characters`)
    .optional(),
  SKEIN_AUTH_ADMIN_TOKEN_FILE: z.string().optional(),
  SKEIN_AUTH_ALLOWED_HOSTS: z.string().default(''),
  SKEIN_AUTH_TRUST_PROXY: z.enum(['true', 'false']).default('false'),
  SKEIN_AUTH_SESSION_HOURS: z.coerce.number().min(0.1).max(720).default(12),
  /** A dashboard with ten open tabs stays far below. */
  SKEIN_REQUESTS_PER_MINUTE: z.coerce.number().int().min(1).default(6_000),
  /** What they may lag behind together stays below a gigabyte. */
  SKEIN_MAX_STREAMS: z.coerce.number().int().min(1).max(100_000).default(1_000),
});

/** @throws EnvironmentInvalidError that lists every mistake by the variable's name */
export function readApiSettings(env: Environment): ApiSettings {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = Settings.safeParse(set);
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new EnvironmentInvalidError(`The environment is not valid: ${mistakes.join('; ')}.`, {
      details: { mistakes },
    });
  }
  const e = parsed.data;
  return {
    authMode: e.SKEIN_AUTH_MODE,
    rootToken:
      e.SKEIN_AUTH_ADMIN_TOKEN ?? readSecretFile('SKEIN_AUTH_ADMIN_TOKEN_FILE', e.SKEIN_AUTH_ADMIN_TOKEN_FILE, 'token'),
    allowedHosts: e.SKEIN_AUTH_ALLOWED_HOSTS.split(',')
      .map((host) => host.trim().toLowerCase())
      .filter(Boolean),
    trustProxy: e.SKEIN_AUTH_TRUST_PROXY === 'true',
    sessionTtlMs: e.SKEIN_AUTH_SESSION_HOURS * HOUR_MS,
    requestsPerMinute: e.SKEIN_REQUESTS_PER_MINUTE,
    maxStreams: e.SKEIN_MAX_STREAMS,
  };
}
