/**
 * A Skein that is spoken to over HTTP, with a token and the rights of its role, instead of by its Redis. Answers are
 * read with the schemas that the server answers with; its problems become errors with the same code and exit code as
 * here. The token is read from where a reference says, never from the command line, and is sent to this server only.
 */

import { readFileSync } from 'node:fs';

import type { z } from 'zod';

import { pageOf } from '../../api/schema.ts';
import type { Environment } from '../../definitions/deployment.ts';
import { type EndReason, type ExitCode, ServiceError, SkeinError } from '../../definitions/errors.ts';
import { UsageError } from '../usage-error.ts';

/** As they stand on the command line. */
export interface ServerFlags {
  readonly server: string;
  /** `env:NAME` or `file:PATH`. */
  readonly token?: string | undefined;
}

interface Ask {
  /** A list is sent as so many of the name. */
  readonly query?: Readonly<Record<string, string | number | readonly string[] | undefined>>;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RemoteServer {
  readonly origin: string;
  /** @throws what the server says is wrong, ServiceError when it cannot be reached or is no Skein */
  ask<T extends z.ZodType>(method: 'GET' | 'POST' | 'PUT', path: string, answer: T, ask?: Ask): Promise<z.output<T>>;
}

/** Every item of a list that the definitions bound, page by page. */
export async function askAll<T extends z.ZodType>(server: RemoteServer, path: string, item: T): Promise<z.output<T>[]> {
  const page = pageOf(item);
  const all: z.output<T>[] = [];
  for (let after: string | undefined; ;) {
    const { items, next } = await server.ask('GET', path, page, { query: { after } });
    all.push(...items);
    if (next === null) return all;
    after = next;
  }
}

/** What a server refused: its code, and the exit code that belongs to it. */
class AnswerError extends SkeinError {
  readonly code: string;
  readonly httpStatus: number;
  readonly exitCode: ExitCode;
  readonly reason: EndReason;

  constructor(httpStatus: number, problem: Problem) {
    const { code, detail, errors, current, current_version: version } = problem;
    super(detail, {
      details: {
        ...(errors === undefined ? {} : { fields: errors }),
        ...(version === undefined ? {} : { current_version: version, current }),
      },
      ...(httpStatus === 401 ? { hint: 'Give a token that is valid: in SKEIN_TOKEN, or --token env:NAME.' } : {}),
    });
    this.code = code;
    this.httpStatus = httpStatus;
    this.exitCode = httpStatus < 500 ? 2 : httpStatus === 503 ? 3 : 1;
    this.reason = httpStatus < 500 ? 'config_invalid' : 'infra:skein';
  }
}

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  readonly current?: unknown;
  readonly current_version?: number;
}

const API = '/api/v1';
const ANSWER_WITHIN_MS = 60_000;

/** @throws UsageError */
export function connectServer(flags: ServerFlags, env: Environment): RemoteServer {
  const origin = originOf(flags.server);
  const token = tokenOf(flags.token, env);
  const headers = {
    accept: 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  return {
    origin,
    async ask(method, path, answer, { query = {}, body, headers: more = {} } = {}) {
      const url = new URL(`${API}${path}`, origin);
      for (const [name, value] of Object.entries(query))
        for (const one of [value ?? []].flat()) url.searchParams.append(name, String(one));
      const { status, json } = await exchange(origin, url, {
        method,
        headers: { ...headers, ...more, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // A token goes nowhere but where it was meant to.
        redirect: 'error',
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      if (status >= 300) throw isProblem(json) ? new AnswerError(status, json) : notSkein(origin, status);
      const parsed = answer.safeParse(json);
      if (parsed.success) return parsed.data;
      throw notSkein(origin, status);
    },
  };
}

async function exchange(origin: string, url: URL, init: RequestInit): Promise<{ status: number; json: unknown }> {
  try {
    const response = await fetch(url, init);
    const text = await response.text();
    return { status: response.status, json: parseOrNothing(text) };
  } catch (error) {
    throw new ServiceError('skein', `The server at ${origin} does not answer: ${causeOf(error)}.`, {
      hint: 'Check --server, and that “skein server” runs there.',
    });
  }
}

function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const { code } = cause as { readonly code?: unknown };
  if (typeof code === 'string') return code;
  return cause instanceof Error ? cause.message : String(cause);
}

function isProblem(json: unknown): json is Problem {
  const problem = json as Partial<Problem> | null | undefined;
  return typeof problem?.code === 'string' && typeof problem.detail === 'string';
}

function notSkein(origin: string, status: number): ServiceError {
  return new ServiceError('skein', `${origin} answered ${status}, but not as a Skein of this version does.`, {
    hint: 'Check --server, and that both are of the same version.',
    retryable: false,
  });
}

function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UsageError('--server is no address: write it as https://skein.example.org.');
  if (url.username !== '' || url.password !== '')
    throw new UsageError('--server holds a user name or password: a token goes into SKEIN_TOKEN.');
  if (url.pathname !== '/' || url.search !== '')
    throw new UsageError('--server is the address of the server only, without a path.');
  return url.origin;
}

/** Undefined for a server without sign-in. @throws UsageError, which does not repeat what was given: it may be the token */
function tokenOf(reference: string | undefined, env: Environment): string | undefined {
  const [, kind, name = ''] = /^(env|file):(.+)$/s.exec(reference ?? 'env:SKEIN_TOKEN') ?? [];
  if (kind === undefined) {
    throw new UsageError('--token is where the token stands: env:NAME or file:PATH.', {
      hint: 'Everyone on this machine can read a command line, so the token itself never stands there.',
    });
  }
  const token = (kind === 'env' ? env[name] : readTokenFile(name))?.trim();
  if (token !== undefined && token !== '') {
    if (/^[\x21-\x7e]{1,200}$/.test(token)) return token;
    throw new UsageError(`--token: what stands in ${kind}:${name} is no token.`);
  }
  if (reference === undefined) return undefined;
  throw new UsageError(`--token: there is nothing in ${kind}:${name}.`);
}

function readTokenFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`--token: the file ${path} cannot be read (${code ?? 'unknown'}).`);
  }
}
