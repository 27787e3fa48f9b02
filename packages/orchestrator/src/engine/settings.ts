/** Times and limits of the engine, with the reason for each default. Read from the environment once, by zod. */

import { z } from 'zod';

import type { Environment } from '../definitions/deployment.ts';
import { EnvironmentInvalidError } from '../definitions/errors.ts';

const ms = (fallback: number) => z.coerce.number().int().min(10).max(86_400_000).default(fallback);

const Settings = z.object({
  SKEIN_REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'must be a redis:// or rediss:// URL')
    .optional(),
  /** Holds a hash tag, so that every key shares a slot. */
  SKEIN_REDIS_PREFIX: z
    .string()
    .regex(/^\{[a-zA-Z0-9_-]{1,60}\}$/, 'must look like {name}')
    .default('{skein}'),
  SKEIN_LEASE_MS: ms(20_000),
  /** A quarter of the lease: three renewals may fail before the worker must stop. */
  SKEIN_LEASE_RENEW_MS: ms(5_000),
  /** Losses of a worker without progress that end a run. */
  SKEIN_MAX_LOST: z.coerce.number().int().min(1).max(100).default(3),
  SKEIN_PULSE_MS: ms(1_000),
  /** A bell that nobody answered is rung again after this. */
  SKEIN_RESEND_MS: ms(10_000),
  SKEIN_CANCEL_GRACE_MS: ms(10_000),
  /** Of one run; the oldest give way. A line takes about 100 bytes of Redis beside its text. */
  SKEIN_RUN_LOG_LINES: z.coerce.number().int().min(1_000).max(5_000_000).default(20_000),
  SKEIN_HOST: z.string().min(1).default('127.0.0.1'),
  SKEIN_PORT: z.coerce.number().int().min(0).max(65_535).default(3070),
  SKEIN_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

export interface EngineSettings {
  readonly redisUrl: string | undefined;
  readonly prefix: string;
  readonly leaseMs: number;
  readonly renewMs: number;
  readonly maxLost: number;
  readonly pulseMs: number;
  readonly resendMs: number;
  readonly cancelGraceMs: number;
  readonly runLogLines: number;
  readonly host: string;
  readonly port: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

/** @throws EnvironmentInvalidError that lists every mistake by the variable's name */
export function readSettings(env: Environment): EngineSettings {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = Settings.safeParse(set);
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new EnvironmentInvalidError(`The environment is not valid: ${mistakes.join('; ')}.`, {
      details: { mistakes },
    });
  }
  const e = parsed.data;
  if (e.SKEIN_LEASE_RENEW_MS * 2 > e.SKEIN_LEASE_MS) {
    throw new EnvironmentInvalidError('SKEIN_LEASE_RENEW_MS: must be at most half of SKEIN_LEASE_MS.');
  }
  return {
    redisUrl: e.SKEIN_REDIS_URL,
    prefix: e.SKEIN_REDIS_PREFIX,
    leaseMs: e.SKEIN_LEASE_MS,
    renewMs: e.SKEIN_LEASE_RENEW_MS,
    maxLost: e.SKEIN_MAX_LOST,
    pulseMs: e.SKEIN_PULSE_MS,
    resendMs: e.SKEIN_RESEND_MS,
    cancelGraceMs: e.SKEIN_CANCEL_GRACE_MS,
    runLogLines: e.SKEIN_RUN_LOG_LINES,
    host: e.SKEIN_HOST,
    port: e.SKEIN_PORT,
    logLevel: e.SKEIN_LOG_LEVEL,
  };
}
