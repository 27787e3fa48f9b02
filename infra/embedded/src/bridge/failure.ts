/** Owns how the engine's failures look over HTTP: code, status, headers, and the trailer for failures in mid-stream. */

export class EngineError extends Error {
  readonly clickhouseCode: number;

  constructor(code: number, type: string, text: string) {
    super(`Code: ${code}. DB::Exception: ${text}. (${type})`);
    this.name = 'EngineError';
    this.clickhouseCode = code;
  }
}

const UNKNOWN_EXCEPTION = 1002;

export function codeOf(error: unknown): number {
  const known = (error as { clickhouseCode?: unknown } | null)?.clickhouseCode;
  if (typeof known === 'number') return known;
  const found = /Code: (\d+)/.exec(error instanceof Error ? error.message : '');
  return found ? Number(found[1]) : UNKNOWN_EXCEPTION;
}

/** The engine's text from `Code: …` on, as the client parses it. */
export function textOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const start = message.search(/Code: \d+/);
  return start >= 0
    ? message.slice(start)
    : `Code: ${UNKNOWN_EXCEPTION}. DB::Exception: ${message}. (UNKNOWN_EXCEPTION)`;
}

const NOT_FOUND = new Set([36, 46, 47, 50, 60, 63, 73, 81, 115]);
const BAD_REQUEST = new Set([6, 26, 27, 38, 41, 43, 53, 62, 69, 70, 72, 117, 131, 386, 456, 457]);

export function statusOf(code: number): number {
  if (code === 194) return 401;
  if (code === 516 || code === 192 || code === 193 || code === 497) return 403;
  if (code === 159) return 408;
  if (NOT_FOUND.has(code)) return 404;
  return BAD_REQUEST.has(code) ? 400 : 500;
}

/** What follows the rows when a stream fails; the client recognises it by the tag that the headers announced. */
export function trailer(error: unknown, tag: string): Buffer {
  const text = `${textOf(error)}\n`;
  return Buffer.from(`\r\n__exception__\r\n${tag}\r\n${text}${Buffer.byteLength(text)} ${tag}\r\n__exception__\r\n`);
}
