/** Values as they stand on the command line: JSON or a file of it, `name=value`, whole numbers, lists of words. */

import { readFileSync } from 'node:fs';

import { InvalidArgumentError } from 'commander';

import { ConfigInvalidError } from '../definitions/errors.ts';
import { lossesOf } from '../definitions/exact-json.ts';
import type { Json, JsonObject } from '../definitions/json.ts';
import type { RunStatus } from '../definitions/sensor.ts';
import { UsageError } from './usage-error.ts';

/** JSON, or `@FILE` that holds it, or `@-` for stdin. @throws ConfigInvalidError, UsageError */
export function readJsonArgument(what: string, text: string): Json {
  const source = text.startsWith('@') ? readSource(what, text.slice(1)) : text;
  let value: Json;
  try {
    value = JSON.parse(source) as Json;
  } catch (error) {
    throw new ConfigInvalidError(`${what} is not JSON: ${error instanceof Error ? error.message : String(error)}.`, {
      hint: `Write it as JSON in single quotes, such as '{"team_id": 7}', or as @FILE.`,
    });
  }
  const fields = lossesOf(source);
  const [first] = fields;
  if (first === undefined) return value;
  throw new ConfigInvalidError(`${what}: ${first.path} ${first.message}.`, { details: { fields } });
}

/** @throws ConfigInvalidError when it is no JSON object */
export function readConfigArgument(text: string | undefined): JsonObject | undefined {
  if (text === undefined) return undefined;
  const value = readJsonArgument('--config', text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new ConfigInvalidError('--config must be a JSON object, such as {"team_id": 7}.');
}

function readSource(what: string, file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new UsageError(`${what}: the file ${file} cannot be read (${code}).`);
  }
}

/** Ids and ranges of them, apart or joined by commas, collected over several uses of the option. */
export function collectIds(text: string, ids: readonly string[] = []): readonly string[] {
  return [...ids, ...text.split(',').map((id) => id.trim())];
}

/** `name=value`, collected over several uses of the option. */
export function collectTag(text: string, tags: Record<string, string> = {}): Record<string, string> {
  const cut = text.indexOf('=');
  if (cut < 1) throw new InvalidArgumentError(`Write it as name=value, such as --tag ticket=OPS-12.`);
  return { ...tags, [text.slice(0, cut)]: text.slice(cut + 1) };
}

/** A parser of whole numbers between two bounds. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^-?\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Write a whole number from ${min} to ${max}.`);
  };
}

/** A parser of comma-separated words out of a list, collected over several uses of the option. */
export function wordsOf<W extends string>(known: readonly W[]): (text: string, before?: readonly W[]) => readonly W[] {
  return (text, before = []) => {
    const words = text.split(',').map((word) => {
      const found = known.find((one) => one === word.trim().toLowerCase());
      if (found === undefined) throw new InvalidArgumentError(`Known: ${known.join(', ')}.`);
      return found;
    });
    return [...before, ...words];
  };
}

/** Statuses of runs as people write them. */
const RUN_STATUSES: Readonly<Record<string, RunStatus>> = {
  queued: 'QUEUED',
  starting: 'STARTING',
  started: 'STARTED',
  running: 'STARTED',
  success: 'SUCCESS',
  succeeded: 'SUCCESS',
  failure: 'FAILURE',
  failed: 'FAILURE',
  canceling: 'CANCELING',
  cancelling: 'CANCELING',
  canceled: 'CANCELED',
  cancelled: 'CANCELED',
};

export function parseRunStatus(text: string): RunStatus {
  const status = RUN_STATUSES[text.toLowerCase()];
  if (status === undefined) {
    throw new InvalidArgumentError('Known: queued, starting, started, success, failed, canceling, canceled.');
  }
  return status;
}
