/**
 * One call of the HTTP API. Owns how arguments become a request, and how every refusal becomes an `ApiError` with the
 * server's words and the request's id. What is not JSON (tiles) is read by its own module.
 */

export interface Operation<Args, Answer> {
  (args: Args, signal?: AbortSignal): Promise<Answer>;
  /** Names the operation in the query cache. */
  readonly id: string;
}

interface Problem {
  readonly code: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly request_id: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  readonly current_version?: number;
  readonly current?: unknown;
}

export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = 'ApiError';
    this.problem = problem;
  }
}

const WRITES = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

export function operation<Args extends object, Answer>(
  id: string,
  method: string,
  path: string,
  query: readonly string[],
): Operation<Args, Answer> {
  const call = async (args: Args, signal?: AbortSignal): Promise<Answer> => {
    const given = args as Record<string, unknown>;
    const reply = await send(urlOf(path, query, given), {
      method,
      headers: headersOf(method, given),
      ...(given.body === undefined ? {} : { body: JSON.stringify(given.body) }),
      ...(signal === undefined ? {} : { signal }),
    });
    return (await reply.json()) as Answer;
  };
  return Object.assign(call, { id });
}

/** @throws ApiError for every answer that is not a success, and when the server cannot be reached */
export async function send(url: string, init: RequestInit): Promise<Response> {
  let reply: Response;
  try {
    reply = await fetch(url, { credentials: 'same-origin', ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError({ ...UNREACHABLE, request_id: '' });
  }
  if (reply.ok) return reply;
  throw new ApiError(await problemOf(reply));
}

function urlOf(path: string, query: readonly string[], given: Record<string, unknown>): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(given[name])));
  const search = new URLSearchParams();
  for (const name of query) {
    for (const value of [given[name]].flat()) {
      if (value !== undefined && value !== '') search.append(name, String(value));
    }
  }
  const text = search.toString();
  return text === '' ? filled : `${filled}?${text}`;
}

function headersOf(method: string, given: Record<string, unknown>): Record<string, string> {
  return {
    accept: 'application/json',
    ...(given.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(typeof given.ifMatch === 'string' ? { 'if-match': given.ifMatch } : {}),
    ...(WRITES.has(method) ? { 'idempotency-key': crypto.randomUUID?.() ?? String(Math.random()) } : {}),
  };
}

async function problemOf(reply: Response): Promise<Problem> {
  const requestId = reply.headers.get('x-request-id') ?? '';
  try {
    const body = (await reply.json()) as Partial<Problem>;
    if (typeof body.detail === 'string') return { ...UNEXPECTED, status: reply.status, request_id: requestId, ...body };
  } catch {
    // not JSON: told below
  }
  return { ...UNEXPECTED, status: reply.status, request_id: requestId };
}

const UNEXPECTED = {
  code: 'UNEXPECTED_ANSWER',
  title: 'The answer was not understood.',
  detail: 'Something between the browser and Skein answered instead of it. Try again.',
};
const UNREACHABLE: Omit<Problem, 'request_id'> = {
  code: 'UNREACHABLE',
  title: 'The server cannot be reached.',
  status: 0,
  detail: 'Skein does not answer at this address. What you typed is kept; try again when it is back.',
};
