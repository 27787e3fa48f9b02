/**
 * Secrets out of texts: the values of secret variables and the passwords of URLs are learnt from the environment and
 * replaced wherever they turn up, plain or percent-encoded.
 */

import type { Environment } from '../definitions/deployment.ts';

const SECRET_NAME = /(PASSWORD|PASSWD|SECRET|TOKEN|PRIVATE_KEY|ACCESS_KEY|API_KEY|CREDENTIAL)/i;
/** Shorter values would blank out ordinary words. */
const MIN_LENGTH = 6;

export type Scrub = (text: string) => string;

export function createScrub(env: Environment): Scrub {
  const secrets = new Set<string>();
  const learn = (value: string) => {
    if (value.length < MIN_LENGTH) return;
    secrets.add(value);
    secrets.add(encodeURIComponent(value));
  };
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value === '') continue;
    if (SECRET_NAME.test(name)) learn(value);
    const password = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s]*:([^/?#@\s]+)@/i.exec(value)?.[1];
    if (password !== undefined) {
      learn(password);
      learn(decode(password));
    }
  }
  const ordered = [...secrets].sort((a, b) => b.length - a.length);
  return (text) => ordered.reduce((out, secret) => (out.includes(secret) ? out.replaceAll(secret, '***') : out), text);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
