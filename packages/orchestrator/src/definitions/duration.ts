/** Durations as people write them (`250ms`, `60s`, `5m`, `4h`, `1d`), turned into milliseconds. */

import { DefinitionInvalidError } from './errors.ts';

export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** @throws DefinitionInvalidError when the text is not a positive number and a unit */
export function parseDurationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  if (!match)
    throw new DefinitionInvalidError(`“${text}” is not a duration; write a number and a unit, such as 30s, 5m or 4h.`);
  return Math.round(Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]);
}
