/**
 * Secrets out of texts: the values of secret variables and the passwords of URLs are learnt from the environment, what
 * is made while a process lives (temporary keys, passwords out of files) by `hideSecret`. They are replaced wherever
 * they turn up: plain, in JSON, percent-encoded, in Base64 at any offset, in hex, or cut off behind their first half.
 */

import type { Environment } from '../definitions/deployment.ts';

const SECRET_NAME = /(PASSWORD|PASSWD|SECRET|TOKEN|PRIVATE_KEY|ACCESS_KEY|API_KEY|CREDENTIAL)/i;
/** Whom traces are sent to learns by headers who sends them. */
const HEADERS_NAME = /^OTEL_EXPORTER_OTLP_(TRACES_)?HEADERS$/i;
/** Says where a secret lies, and is none. */
const PLACE_NAME = /(_FILE|_PATH|_URL|_DIR)$/i;
/** Passwords are what follows the first colon; an unescaped @ in them is a mistake that must not show them. */
const USER_INFO = /[a-z][a-z0-9+.-]*:\/\/([^/?#\s]*)@/gi;
/** Shorter values would blank out ordinary words. */
const MIN_LENGTH = 6;
/** From this length on, half of a secret is hidden too: whoever cuts a text may cut a secret in it. */
const MIN_CUT_LENGTH = 16;
const MASK = '***';

export type Scrub = (text: string) => string;

interface Form {
  readonly whole: string;
  /** What it is found by; of long ones their first half. */
  readonly head: string;
}

/** What this process learnt since it began; the oldest go, because temporary keys end. */
const learnt: (readonly Form[])[] = [];
const MAX_LEARNT = 200;

/** A secret that no variable holds, from now on hidden in whatever this process shows or keeps. */
export function hideSecret(value: string): void {
  if (learnt.some(([plain]) => plain?.whole === value)) return;
  learnt.push(formsOf([value]));
  if (learnt.length > MAX_LEARNT) learnt.shift();
}

export function createScrub(env: Environment): Scrub {
  const own = formsOf([...secretsOf(env)]);
  return (text) => {
    let out = text;
    for (const form of own) out = hide(out, form);
    for (const forms of learnt) for (const form of forms) out = hide(out, form);
    return out;
  };
}

/** JSON stays JSON, also where a secret is made of digits and a number holds them. */
export function scrubJson(scrub: Scrub, json: string): string {
  const text = scrub(json);
  if (text === json) return json;
  try {
    return JSON.stringify(scrubValue(scrub, JSON.parse(json)));
  } catch {
    return text;
  }
}

function scrubValue(scrub: Scrub, value: unknown): unknown {
  if (typeof value === 'string') return scrub(value);
  if (Array.isArray(value)) return value.map((one) => scrubValue(scrub, one));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [scrub(name), scrubValue(scrub, inner)]));
}

function* secretsOf(env: Environment): Generator<string> {
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value === '') continue;
    if (SECRET_NAME.test(name) && !PLACE_NAME.test(name)) yield value;
    // `authorization=Bearer%20…,x-key=…`
    if (HEADERS_NAME.test(name))
      for (const header of value.split(',')) yield decode(header.slice(header.indexOf('=') + 1));
    for (const [, userInfo = ''] of value.matchAll(USER_INFO)) {
      const cut = userInfo.indexOf(':');
      if (cut < 0) continue;
      yield userInfo.slice(cut + 1);
      yield decode(userInfo.slice(cut + 1));
    }
  }
}

/** Longest first, so that no form leaves the rest of a longer one. */
function formsOf(secrets: readonly string[]): readonly Form[] {
  const texts = new Set(secrets.filter((secret) => secret.length >= MIN_LENGTH).flatMap(spellings));
  return [...texts].sort((a, b) => b.length - a.length).map(toForm);
}

function toForm(whole: string): Form {
  return { whole, head: whole.length < MIN_CUT_LENGTH ? whole : whole.slice(0, Math.ceil(whole.length / 2)) };
}

function spellings(secret: string): string[] {
  const percent = encodeURIComponent(secret.toWellFormed());
  const bytes = Buffer.from(secret);
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    percent,
    percent.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    percent.replaceAll('%20', '+'),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    ...[0, 1, 2].flatMap((offset) => inBase64(bytes, offset)),
  ];
}

/** The characters that depend on the secret alone, wherever in a longer text it begins. */
function inBase64(bytes: Buffer, offset: number): string[] {
  const from = Math.ceil((offset * 8) / 6);
  const to = Math.floor(((offset + bytes.length) * 8) / 6);
  const padded = Buffer.concat([Buffer.alloc(offset), bytes]);
  return [padded.toString('base64').slice(from, to), padded.toString('base64url').slice(from, to)];
}

function hide(text: string, { whole, head }: Form): string {
  let at = text.indexOf(head);
  if (at < 0) return text;
  let out = '';
  let from = 0;
  for (; at >= 0; at = text.indexOf(head, from)) {
    let length = head.length;
    while (length < whole.length && text[at + length] === whole[length]) length++;
    out += text.slice(from, at) + MASK;
    from = at + length;
  }
  return out + text.slice(from);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
