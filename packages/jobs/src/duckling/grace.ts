/** The grace period of orphaned objects, as people write it. */

import { ConfigInvalidError } from '@skein/orchestrator';

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `90m`, `24h`, `7d` in milliseconds; `0` for none. @param name of the option, for the message. @throws ConfigInvalidError */
export function parseGraceMs(name: string, text: string): number {
  const match = /^(\d{1,6})(s|m|h|d)$/.exec(text === '0' ? '0s' : text);
  if (!match)
    throw new ConfigInvalidError(
      `${name}: “${text.slice(0, 40)}” is no duration; write a number and a unit, such as 90m, 24h or 7d.`,
    );
  return Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
}
