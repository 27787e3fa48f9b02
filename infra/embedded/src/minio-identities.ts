/**
 * Owns roles in front of a MinIO: it starts the server, forwards S3 word for word, and answers what MinIO does not know:
 * making roles with a trust policy, and AssumeRole by that policy. MinIO's own AssumeRole checks the caller's signature
 * and makes the credentials, to which the role's policy is attached. Run with the path of a config as its argument.
 */

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { type IncomingMessage, type ServerResponse, createServer, request as send } from 'node:http';
import { fileURLToPath } from 'node:url';

import { type AwsKey, signedRequest } from './aws-identities.ts';
import { LOOPBACK } from './ports.ts';

export interface MinioConfig {
  readonly program: string;
  readonly port: number;
  /** Where MinIO itself listens. */
  readonly minioPort: number;
  readonly dataDirectory: string;
  readonly region: string;
  /** Of MinIO's root, which is the base user here. */
  readonly key: AwsKey;
}

interface Role {
  readonly trust: TrustPolicy;
  policy: string;
}
interface TrustPolicy {
  readonly Statement: readonly {
    readonly Principal: { readonly AWS: string };
    readonly Condition?: { readonly StringEquals?: { readonly 'sts:ExternalId'?: string } };
  }[];
}

const ACCOUNT = 'arn:aws:iam::000000000000';
const arnOf = (keyId: string) => `${ACCOUNT}:user/${keyId}`;

function serve(config: MinioConfig): void {
  const roles = new Map<string, Role>();
  const minio = { url: `http://${LOOPBACK}:${config.minioPort}`, region: config.region, key: config.key };
  createServer((incoming, outgoing) => {
    if (incoming.method !== 'POST' || incoming.url !== '/') {
      forward(config.minioPort, incoming, outgoing);
      return;
    }
    void bodyOf(incoming)
      .then(async (body) => {
        const asked = new URLSearchParams(body);
        const caller = /Credential=([^/]+)\//.exec(incoming.headers.authorization ?? '')?.[1] ?? '';
        const name = asked.get('RoleName') ?? '';
        switch (asked.get('Action')) {
          case 'GetCallerIdentity':
            return answer(
              outgoing,
              200,
              `<GetCallerIdentityResult><Arn>${arnOf(caller)}</Arn></GetCallerIdentityResult>`,
            );
          case 'CreateRole':
            if (caller !== config.key.accessKeyId) return refuse(outgoing, 'iam:CreateRole');
            roles.set(`${ACCOUNT}:role/${name}`, {
              trust: JSON.parse(asked.get('AssumeRolePolicyDocument') ?? '{}') as TrustPolicy,
              policy: '',
            });
            return answer(
              outgoing,
              200,
              `<CreateRoleResult><Role><Arn>${ACCOUNT}:role/${name}</Arn></Role></CreateRoleResult>`,
            );
          case 'PutRolePolicy': {
            const role = roles.get(`${ACCOUNT}:role/${name}`);
            if (caller !== config.key.accessKeyId || !role) return refuse(outgoing, 'iam:PutRolePolicy');
            role.policy = asked.get('PolicyDocument') ?? '';
            return answer(outgoing, 200, '<PutRolePolicyResponse/>');
          }
          case 'AssumeRole': {
            const role = roles.get(asked.get('RoleArn') ?? '');
            if (!role || !trusts(role.trust, arnOf(caller), asked.get('ExternalId')))
              return refuse(outgoing, 'sts:AssumeRole');
            const genuine = await repeat(config.minioPort, incoming, body);
            if (genuine.status !== 200) return answer(outgoing, genuine.status, genuine.body, '');
            const parameters = new URLSearchParams({
              Version: '2011-06-15',
              Action: 'AssumeRole',
              DurationSeconds: asked.get('DurationSeconds') ?? '3600',
              Policy: role.policy,
            });
            const made = await signedRequest(minio, {
              service: 'sts',
              method: 'POST',
              path: '/',
              body: parameters.toString(),
            });
            return answer(outgoing, 200, made, '');
          }
          default:
            return refuse(outgoing, asked.get('Action') ?? 'that');
        }
      })
      .catch((error: unknown) =>
        answer(outgoing, 500, `<Error><Code>InternalError</Code><Message>${String(error)}</Message></Error>`),
      );
  }).listen(config.port, LOOPBACK);
}

function trusts(trust: TrustPolicy, caller: string, externalId: string | null): boolean {
  return trust.Statement.some(
    ({ Principal, Condition }) =>
      Principal.AWS === caller && (Condition?.StringEquals?.['sts:ExternalId'] ?? externalId) === externalId,
  );
}

function answer(outgoing: ServerResponse, status: number, xml: string, envelope = 'Response'): void {
  const body = envelope === '' ? xml : `<${envelope}>${xml}</${envelope}>`;
  outgoing.writeHead(status, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) });
  outgoing.end(body);
}

function refuse(outgoing: ServerResponse, action: string): void {
  const error = `<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>The caller is not authorized to perform: ${action}</Message></Error>`;
  answer(outgoing, 403, error, 'ErrorResponse');
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** With all its headers, the host's among them, for that is what was signed. */
function onward(port: number, { method, url, headers }: IncomingMessage) {
  return send({ hostname: LOOPBACK, port, method, path: url, headers });
}

function forward(port: number, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const passed = onward(port, incoming);
  passed.on('response', (reply) => {
    outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
    reply.pipe(outgoing);
  });
  passed.on('error', () => outgoing.writeHead(502).end());
  incoming.pipe(passed);
}

function repeat(port: number, incoming: IncomingMessage, body: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const passed = onward(port, incoming);
    passed.on('response', (reply) => {
      bodyOf(reply).then((text) => resolve({ status: reply.statusCode ?? 502, body: text }), reject);
    });
    passed.on('error', reject);
    passed.end(body);
  });
}

function main(configFile: string): void {
  const config = JSON.parse(readFileSync(configFile, 'utf8')) as MinioConfig;
  mkdirSync(config.dataDirectory, { recursive: true });
  const server = spawn(
    config.program,
    ['server', '--quiet', '--address', `${LOOPBACK}:${config.minioPort}`, config.dataDirectory],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...process.env,
        MINIO_ROOT_USER: config.key.accessKeyId,
        MINIO_ROOT_PASSWORD: config.key.secretAccessKey,
        MINIO_REGION: config.region,
        MINIO_BROWSER: 'off',
        // No question home about newer versions.
        MINIO_UPDATE: 'off',
      },
    },
  );
  server.on('exit', (code) => process.exit(code ?? 0));
  process.on('SIGTERM', () => server.kill('SIGTERM'));
  serve(config);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv[2] ?? '');
