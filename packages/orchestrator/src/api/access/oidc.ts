/**
 * Sign-in by OpenID Connect: the authorization code flow with PKCE, state and nonce. What was begun is kept in Redis
 * for ten minutes, under the hash of a secret in a cookie of the browser that began it, and is taken once. The ID token is
 * checked in full (signature, issuer, audience, time, nonce) by openid-client; it only says who and which role, and is
 * not kept: what follows is a session as any other.
 */

import { randomBytes } from 'node:crypto';

import type * as OpenIdClient from 'openid-client';

import { ServiceError } from '../../definitions/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import { ForbiddenError, UnauthenticatedError } from '../errors.ts';
import { type OidcSettings, nameOf, roleOf } from './oidc-settings.ts';
import type { Principal } from './principal.ts';
import { hashSecret } from './tokens.ts';

export const FLOW_TTL_MS = 600_000;
/** Clocks of ours and of the provider may differ by so much. */
const CLOCK_TOLERANCE_SECONDS = 30;
const ANSWER_WITHIN_SECONDS = 10;

export interface SignInPort {
  /** Gives the secret for the cookie, and where to send the browser. */
  begin(returnTo: string): Promise<{ readonly flow: string; readonly url: string }>;
  /**
   * @param query of the address at which the browser came back
   * @throws UnauthenticatedError without a word on what was wrong; ForbiddenError when the person has no role here;
   * ServiceError when the provider does not answer
   */
  finish(flow: string, query: string): Promise<{ readonly principal: Principal; readonly returnTo: string }>;
}

interface Begun {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly returnTo: string;
}

/** @param onRefused is told why, for the log */
export function createSignIn(
  { redis, keys }: Pick<Engine, 'redis' | 'keys'>,
  settings: OidcSettings,
  callbackPath: string,
  onRefused: (why: { readonly code: string; readonly error: string }) => void,
): SignInPort {
  const callback = new URL(callbackPath, settings.publicUrl);
  const keyOf = (flow: string) => `${keys.prefix}:oidc:${hashSecret(flow)}`;
  let found: Promise<OpenIdClient.Configuration> | undefined;
  // Looked for when somebody signs in; a provider that was away is looked for anew.
  const provider = async (oidc: typeof OpenIdClient) => {
    found ??= discover(oidc, settings);
    try {
      return await found;
    } catch (error) {
      found = undefined;
      onRefused(describe(error));
      throw new ServiceError('oidc', 'The sign-in provider does not answer, or is not the one that is configured.');
    }
  };
  return {
    async begin(returnTo) {
      const oidc = await import('openid-client');
      const config = await provider(oidc);
      const flow = randomBytes(32).toString('base64url');
      const begun: Begun = {
        state: oidc.randomState(),
        nonce: oidc.randomNonce(),
        verifier: oidc.randomPKCECodeVerifier(),
        returnTo,
      };
      await redis.set(keyOf(flow), JSON.stringify(begun), 'PX', FLOW_TTL_MS);
      const url = oidc.buildAuthorizationUrl(config, {
        redirect_uri: callback.href,
        scope: settings.scopes,
        state: begun.state,
        nonce: begun.nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(begun.verifier),
        code_challenge_method: 'S256',
      });
      return { flow, url: url.href };
    },
    async finish(flow, query) {
      const text = flow.length > 200 ? null : await redis.getdel(keyOf(flow));
      if (text === null) throw refused();
      const begun = JSON.parse(text) as Begun;
      const oidc = await import('openid-client');
      const config = await provider(oidc);
      let claims: Readonly<Record<string, unknown>> | undefined;
      try {
        const tokens = await oidc.authorizationCodeGrant(config, new URL(`${callback.pathname}${query}`, callback), {
          pkceCodeVerifier: begun.verifier,
          expectedState: begun.state,
          expectedNonce: begun.nonce,
          idTokenExpected: true,
        });
        claims = tokens.claims();
      } catch (error) {
        onRefused(describe(error));
        throw refused();
      }
      if (claims === undefined) throw refused();
      const role = roleOf(settings, claims);
      const name = nameOf(claims);
      if (role === undefined)
        throw new ForbiddenError(`You are signed in as ${name}, but have no role in this Skein; ask an administrator.`);
      return { principal: { name, role, via: 'session', tokenId: undefined }, returnTo: begun.returnTo };
    },
  };
}

async function discover(oidc: typeof OpenIdClient, settings: OidcSettings): Promise<OpenIdClient.Configuration> {
  const { issuer, clientId, clientSecret } = settings;
  const config = await oidc.discovery(
    issuer,
    clientId,
    { [oidc.clockTolerance]: CLOCK_TOLERANCE_SECONDS },
    oidc.ClientSecretPost(clientSecret),
    {
      timeout: ANSWER_WITHIN_SECONDS,
      // Settings allow plain HTTP for loopback only.
      execute: issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : [],
    },
  );
  // The signature too: what came over TLS alone would be trusted otherwise.
  oidc.enableNonRepudiationChecks(config);
  return config;
}

const refused = () => new UnauthenticatedError('The sign-in did not succeed; begin again.');

function describe(error: unknown): { code: string; error: string } {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return { code: typeof code === 'string' ? code : '', error: typeof message === 'string' ? message : String(error) };
}
