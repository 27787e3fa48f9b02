/**
 * The environment variables of the job that this one replaces, read as defaults of the config. The end of the range has
 * two spellings in use; a wrong one used to leave one bound unset and the job fell back to its watermark in silence, so
 * both are read, and half a range is an error. Pure: the environment is an argument.
 */

import { ConfigInvalidError } from '@skein/orchestrator';

type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'LABEL_CONVERSATIONS_WITH_AGENT_ASSISTANCE';
const START = `${PREFIX}_CONV_START_AT_RANGE_START`;
const ENDS = [`${PREFIX}_CONV_START_AT_RANGE_END`, `${PREFIX}_CONV_END_AT_RANGE_END`] as const;
const BATCH_SIZE = `${PREFIX}_BATCH_SIZE`;
const CUSTOMER = 'FILTER_CUSTOMER_IN_LABEL_CONVERSATIONS_WITH_AGENT_ASSISTANCE';
const ENABLE = 'ENABLE_LABEL_CONVERSATIONS_WITH_AGENT_ASSISTANCE';

const MAX_BATCH_MS = 24 * 3_600_000;

export interface RangeDefaults {
  readonly customerId: string | undefined;
  readonly rangeStart: string | undefined;
  readonly rangeEnd: string | undefined;
}

/** @throws ConfigInvalidError when only one bound is set, or the two spellings of the end differ */
export function rangeDefaults(env: Environment): RangeDefaults {
  const start = text(env[START]);
  const ends = ENDS.map((name) => text(env[name])).filter((value) => value !== undefined);
  const [end, other] = ends;
  if (other !== undefined && other !== end) {
    throw new ConfigInvalidError(
      `${ENDS.join(' and ')} are both set and differ: range_end is not clear. Set one of them.`,
    );
  }
  if ((start === undefined) !== (end === undefined)) {
    const [set, unset] = start === undefined ? [ENDS.join(' or '), START] : [START, ENDS.join(' or ')];
    throw new ConfigInvalidError(
      `${set} is set and ${unset} is not: a range needs both of its bounds. Set both or neither.`,
    );
  }
  return { customerId: customerFilter(env), rangeStart: start, rangeEnd: end };
}

/** The one customer that is labelled, exactly as written (a comma is part of the name); undefined for all. */
export function customerFilter(env: Environment): string | undefined {
  return text(env[CUSTOMER]);
}

/** Why the regular labelling is switched off, or undefined when it is on (also when nothing is set). */
export function switchedOff(env: Environment): string | undefined {
  const value = text(env[ENABLE]);
  return value === undefined || value === 'true' ? undefined : `${ENABLE} is “${value.slice(0, 40)}”, not “true”`;
}

/** Longest piece of a range that one regular run labels. @throws ConfigInvalidError unless like `24h`, `90m`, ≤ 24h */
export function batchSizeMs(env: Environment): number {
  const value = text(env[BATCH_SIZE]);
  if (value === undefined) return MAX_BATCH_MS;
  const match = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(value);
  const ms = match ? (Number(match[1] ?? 0) * 3_600 + Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0)) * 1_000 : 0;
  if (ms <= 0 || ms > MAX_BATCH_MS) {
    throw new ConfigInvalidError(
      `${BATCH_SIZE} is “${value.slice(0, 40)}”: write a duration up to 24h, such as 24h or 90m.`,
    );
  }
  return ms;
}

function text(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value;
}
