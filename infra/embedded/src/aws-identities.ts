/**
 * Owns users, keys and roles at an AWS-like endpoint, through IAM's query protocol with signature version 4: enough to
 * give tests a base user and cross-account roles with external ids, without another client library.
 */

import { createHash, createHmac } from 'node:crypto';

import { ServicesError } from './errors.ts';

export const REGION = 'us-east-1';

export interface AwsKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface AwsEndpoint {
  readonly url: string;
  readonly region: string;
  readonly key: AwsKey;
}

export interface RoleSpec {
  readonly name: string;
  /** Whoever assumes the role must send exactly this. */
  readonly externalId: string;
  /** Buckets that the role may use; `*` for all. */
  readonly buckets: readonly string[];
  /** Default: reading, writing, listing, deleting. */
  readonly actions?: readonly string[];
}

/** Signs the free calls: nobody checks them, but moto reads the service's name from the signature. */
const NOBODY: AwsKey = { accessKeyId: 'AKIAFREECALL', secretAccessKey: 'free-call' };

export async function createUserWithKey(url: string, user: string): Promise<AwsKey> {
  const free: AwsEndpoint = { url, region: REGION, key: NOBODY };
  await iam(free, { Action: 'CreateUser', UserName: user });
  const answer = await iam(free, { Action: 'CreateAccessKey', UserName: user });
  const key = { accessKeyId: element(answer, 'AccessKeyId'), secretAccessKey: element(answer, 'SecretAccessKey') };
  await iam(free, {
    Action: 'PutUserPolicy',
    UserName: user,
    PolicyName: 'all',
    PolicyDocument: policy(['s3:*', 'sts:*', 'iam:*'], ['*']),
  });
  return key;
}

/** A role that the endpoint's own user, and nobody else, may assume. @returns the role's ARN */
export async function createRole(endpoint: AwsEndpoint, role: RoleSpec): Promise<string> {
  const trust = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: await callerArn(endpoint) },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'sts:ExternalId': role.externalId } },
      },
    ],
  });
  const answer = await iam(endpoint, { Action: 'CreateRole', RoleName: role.name, AssumeRolePolicyDocument: trust });
  const resources = role.buckets.flatMap((bucket) =>
    bucket === '*' ? ['*'] : [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
  );
  const actions = role.actions ?? ['s3:*'];
  await iam(endpoint, {
    Action: 'PutRolePolicy',
    RoleName: role.name,
    PolicyName: 'buckets',
    PolicyDocument: policy(actions, resources),
  });
  return element(answer, 'Arn');
}

/** moto compares principals with the caller's own ARN; an account (`…:root`) does not stand for its users there. */
async function callerArn(endpoint: AwsEndpoint): Promise<string> {
  const body = new URLSearchParams({ Version: '2011-06-15', Action: 'GetCallerIdentity' }).toString();
  return element(await signedRequest(endpoint, { service: 'sts', method: 'POST', path: '/', body }), 'Arn');
}

export async function createBucket(endpoint: AwsEndpoint, bucket: string): Promise<void> {
  await signedRequest(endpoint, { service: 's3', method: 'PUT', path: `/${bucket}`, body: '' });
}

function policy(actions: readonly string[], resources: readonly string[]): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: actions, Resource: resources }],
  });
}

async function iam(endpoint: AwsEndpoint, parameters: Readonly<Record<string, string>>): Promise<string> {
  const body = new URLSearchParams({ Version: '2010-05-08', ...parameters }).toString();
  return signedRequest(endpoint, { service: 'iam', method: 'POST', path: '/', body });
}

function element(xml: string, name: string): string {
  const found = new RegExp(`<${name}>([^<]+)</${name}>`).exec(xml)?.[1];
  if (found === undefined)
    throw new ServicesError('SERVICE_SETUP_FAILED', `The identity service answered without ${name}.`);
  return found;
}

interface AwsRequest {
  readonly service: 'iam' | 's3' | 'sts';
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** @throws ServicesError with the answer's own words when it is refused */
export async function signedRequest(endpoint: AwsEndpoint, request: AwsRequest): Promise<string> {
  const response = await fetch(endpoint.url + request.path, {
    method: request.method,
    headers: sign(endpoint, request),
    ...(request.body === '' ? {} : { body: request.body }),
  });
  const text = await response.text();
  if (response.ok) return text;
  const reason = /<Message>([^<]*)<\/Message>/.exec(text)?.[1] ?? `HTTP ${response.status}`;
  throw new ServicesError('SERVICE_SETUP_FAILED', `${request.service.toUpperCase()} for tests refused: ${reason}`);
}

function sign(endpoint: AwsEndpoint, request: AwsRequest): Record<string, string> {
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${stamp.slice(0, 8)}/${endpoint.region}/${request.service}/aws4_request`;
  const bodyHash = sha256(request.body);
  const headers: Record<string, string> = {
    'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
    host: new URL(endpoint.url).host,
    'x-amz-content-sha256': bodyHash,
    'x-amz-date': stamp,
  };
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers)
    .map(([name, value]) => `${name}:${value}\n`)
    .join('');
  const canonical = [request.method, request.path, '', lines, names, bodyHash].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonical)].join('\n');
  const key = scope
    .split('/')
    .reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${endpoint.key.secretAccessKey}`);
  const signature = hmac(key, toSign).toString('hex');
  const { host: _host, ...sent } = headers;
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${endpoint.key.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
