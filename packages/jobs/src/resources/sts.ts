/**
 * AssumeRole for ducklings in other accounts: temporary credentials, fetched once for all users of a role, renewed
 * before they end, and renewed once when they are refused before that, as revoked ones are. An external id is sent when
 * the duckling has one, and never an empty one.
 */

import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { ServiceError, hideSecret } from '@skein/orchestrator';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
  /** Undefined for keys that do not end. */
  readonly expiresAt: Date | undefined;
}

/** What those who sign requests ask for at each of them. */
export interface CredentialSource {
  current(): Promise<Credentials>;
  /** Called when a request that they signed was refused. True: `current` now gives others, so ask once more. */
  refused(credentials: Credentials): boolean;
}

interface RoleRequest {
  readonly roleArn: string;
  readonly externalId: string | null;
  /** For messages, such as `duckling of team 2`. */
  readonly owner: string;
  readonly sessionName: string;
}

export interface RoleCredentials {
  /** Valid for at least five more minutes. @throws ServiceError (`sts`) that names role and owner */
  assume(request: RoleRequest): Promise<Credentials>;
  /** They are not given again. False for keys that do not end: there are no others. */
  refused(credentials: Credentials): boolean;
  close(): void;
}

/** Longer than any single statement on a lake takes between two looks at the clock. */
const RENEW_BEFORE_MS = 5 * 60_000;
/** What an IAM role allows unless it says otherwise. */
const DURATION_SECONDS = 3_600;
/** STS answers in a second; whoever does not answer in this time has not heard. */
const SILENCE_MS = 30_000;

export interface StsOptions {
  readonly region: string;
  readonly endpoint: string | undefined;
  readonly credentials:
    { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string } | undefined;
  readonly now?: () => number;
}

export function createRoleCredentials(options: StsOptions): RoleCredentials {
  const now = options.now ?? Date.now;
  const client = new STSClient({
    region: options.region,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    requestHandler: { connectionTimeout: SILENCE_MS / 3, socketTimeout: SILENCE_MS },
  });
  const held = new Map<string, Promise<Credentials>>();
  const useless = new WeakSet<Credentials>();

  const fetchCredentials = async (request: RoleRequest): Promise<Credentials> => {
    try {
      const { Credentials: got } = await client.send(
        new AssumeRoleCommand({
          RoleArn: request.roleArn,
          RoleSessionName: request.sessionName,
          DurationSeconds: DURATION_SECONDS,
          ...(request.externalId ? { ExternalId: request.externalId } : {}),
        }),
      );
      if (!got?.AccessKeyId || !got.SecretAccessKey) throw refusal(request, 'the answer held no credentials');
      hideSecret(got.SecretAccessKey);
      if (got.SessionToken !== undefined) hideSecret(got.SessionToken);
      return {
        accessKeyId: got.AccessKeyId,
        secretAccessKey: got.SecretAccessKey,
        sessionToken: got.SessionToken,
        expiresAt: got.Expiration,
      };
    } catch (error) {
      throw error instanceof ServiceError ? error : refusal(request, nameOf(error), isRefusal(error));
    }
  };

  const assume = async (request: RoleRequest): Promise<Credentials> => {
    const key = JSON.stringify([request.roleArn, request.externalId, request.sessionName]);
    const current = held.get(key);
    if (current) {
      const credentials = await current;
      if (isFresh(credentials)) return credentials;
      // Of those who find them stale together, one renews and the others share it.
      if (held.get(key) !== current) return assume(request);
    }
    const next = fetchCredentials(request);
    held.set(key, next);
    next.catch(() => held.get(key) === next && held.delete(key));
    return next;
  };
  const isFresh = (credentials: Credentials) =>
    !useless.has(credentials) &&
    (credentials.expiresAt === undefined || credentials.expiresAt.getTime() - now() > RENEW_BEFORE_MS);

  return {
    assume,
    refused(credentials) {
      if (credentials.expiresAt === undefined) return false;
      useless.add(credentials);
      return true;
    },
    close: () => client.destroy(),
  };
}

function nameOf(error: unknown): string {
  const e = error as { name?: string; code?: string } | null;
  return e?.code ?? e?.name ?? 'unknown error';
}

function isRefusal(error: unknown): boolean {
  const status = (error as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata?.httpStatusCode;
  return status !== undefined && status >= 400 && status < 500;
}

function refusal(request: RoleRequest, what: string, refused = true): ServiceError {
  const advice = refused
    ? 'Check that the role’s trust policy names Skein’s own identity and exactly this external id'
    : 'Check that STS can be reached';
  return new ServiceError(
    'sts',
    `STS did not let Skein assume the role ${request.roleArn} for the ${request.owner}: ${what}. ${advice}.`,
    {
      retryable: !refused,
      details: { role_arn: request.roleArn, owner: request.owner },
    },
  );
}
