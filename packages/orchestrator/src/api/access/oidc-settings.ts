/** Who signs people in for us, and which of its people have which role. Read from the environment once, by zod. */

import { readFileSync } from 'node:fs';

import { z } from 'zod';

import type { Environment } from '../../definitions/deployment.ts';
import { EnvironmentInvalidError } from '../../definitions/errors.ts';
import { isLoopbackName } from './authenticate.ts';
import { ROLES, type Role } from './principal.ts';

export interface OidcSettings {
  readonly issuer: URL;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Of this Skein, as browsers see it. */
  readonly publicUrl: URL;
  readonly scopes: string;
  /** On the button. */
  readonly label: string;
  readonly roleClaim: string;
  /** Values of the claim that give each role; `*` is everybody. */
  readonly roleValues: Readonly<Record<Role, readonly string[]>>;
}

const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((value) => value.trim())
      .filter(Boolean),
  );

const Settings = z.object({
  SKEIN_AUTH_MODE: z.literal('token', { error: 'must be token: OIDC is a way to sign in' }),
  SKEIN_AUTH_OIDC_ISSUER: safeUrl('the issuer'),
  SKEIN_AUTH_OIDC_CLIENT_ID: z.string({ error: 'is missing' }),
  SKEIN_AUTH_OIDC_CLIENT_SECRET: z.string().optional(),
  SKEIN_AUTH_OIDC_CLIENT_SECRET_FILE: z.string().optional(),
  SKEIN_AUTH_PUBLIC_URL: safeUrl('the address of this Skein'),
  SKEIN_AUTH_OIDC_SCOPES: z
    .string()
    .default('openid profile email')
    .refine((text) => text.split(' ').includes('openid'), 'must hold openid'),
  SKEIN_AUTH_OIDC_LABEL: z.string().max(60).default('Sign in with single sign-on'),
  SKEIN_AUTH_OIDC_ROLE_CLAIM: z.string().default('groups'),
  SKEIN_AUTH_OIDC_ADMIN: list,
  SKEIN_AUTH_OIDC_OPERATOR: list,
  SKEIN_AUTH_OIDC_VIEWER: list,
});

function safeUrl(what: string) {
  return z.string({ error: `must be ${what}, as https://…` }).refine((text) => {
    if (!URL.canParse(text)) return false;
    const { protocol, hostname, username } = new URL(text);
    return username === '' && (protocol === 'https:' || (protocol === 'http:' && isLoopbackName(hostname)));
  }, `must be ${what}: https, but for loopback, and without a password`);
}

/** Undefined where no issuer is set. @throws EnvironmentInvalidError that lists every mistake by the variable's name */
export function readOidcSettings(env: Environment): OidcSettings | undefined {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  if (set.SKEIN_AUTH_OIDC_ISSUER === undefined) return undefined;
  const parsed = Settings.safeParse(set);
  if (!parsed.success) throw invalid(parsed.error.issues.map((one) => `${one.path.join('.')}: ${one.message}`));
  const e = parsed.data;
  const roleValues = {
    viewer: e.SKEIN_AUTH_OIDC_VIEWER,
    operator: e.SKEIN_AUTH_OIDC_OPERATOR,
    admin: e.SKEIN_AUTH_OIDC_ADMIN,
  };
  if (ROLES.every((role) => roleValues[role].length === 0))
    throw invalid(['SKEIN_AUTH_OIDC_VIEWER, _OPERATOR, _ADMIN: none is set, so nobody could sign in']);
  return {
    issuer: new URL(e.SKEIN_AUTH_OIDC_ISSUER),
    clientId: e.SKEIN_AUTH_OIDC_CLIENT_ID,
    clientSecret: e.SKEIN_AUTH_OIDC_CLIENT_SECRET ?? readSecret(e.SKEIN_AUTH_OIDC_CLIENT_SECRET_FILE),
    publicUrl: new URL(e.SKEIN_AUTH_PUBLIC_URL),
    scopes: e.SKEIN_AUTH_OIDC_SCOPES,
    label: e.SKEIN_AUTH_OIDC_LABEL,
    roleClaim: e.SKEIN_AUTH_OIDC_ROLE_CLAIM,
    roleValues,
  };
}

function readSecret(path: string | undefined): string {
  if (path === undefined)
    throw invalid(['SKEIN_AUTH_OIDC_CLIENT_SECRET: is missing; or name a file in SKEIN_AUTH_OIDC_CLIENT_SECRET_FILE']);
  try {
    const text = readFileSync(path, 'utf8').trim();
    if (text !== '') return text;
  } catch {
    // told below
  }
  throw invalid(['SKEIN_AUTH_OIDC_CLIENT_SECRET_FILE: the file cannot be read, or is empty']);
}

function invalid(mistakes: readonly string[]): EnvironmentInvalidError {
  return new EnvironmentInvalidError(`The environment is not valid: ${mistakes.join('; ')}.`, {
    details: { mistakes },
  });
}

/** The greatest role that the claims give; undefined: none. Pure. */
export function roleOf(
  { roleClaim, roleValues }: Pick<OidcSettings, 'roleClaim' | 'roleValues'>,
  claims: Readonly<Record<string, unknown>>,
): Role | undefined {
  const held = new Set([claimAt(claims, roleClaim)].flat().filter((value) => typeof value === 'string'));
  return [...ROLES].reverse().find((role) => roleValues[role].some((value) => value === '*' || held.has(value)));
}

/** By its own name, or by a path such as `realm_access.roles`. */
function claimAt(claims: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name.split('.').reduce<unknown>((value, part) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    return (value as Record<string, unknown>)[part];
  }, claims);
}

/** How runs and the audit log name the person: the address where the provider vouches for it. Pure. */
export function nameOf(claims: Readonly<Record<string, unknown>>): string {
  const { email, email_verified: verified, preferred_username: username, sub } = claims;
  const known = [verified === false ? undefined : email, username, sub];
  const name = known.find((value) => typeof value === 'string' && value !== '');
  return String(name).slice(0, 100);
}
