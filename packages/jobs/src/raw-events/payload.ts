/**
 * Reads a payload as the original's decoder did (Go's encoding/json into a struct): field names in any case, the later
 * of two wins, two `data` objects merge, a wrong type anywhere refuses the whole. Never throws.
 */

import { entriesOf, hasOverflow, scanObject, withoutLoneSurrogates } from './json-scan.ts';

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };
export type JsonRecord = { [key: string]: JsonValue };

export const TEXT_FIELDS = [
  'orgId',
  'methodName',
  'providerName',
  'serviceName',
  'id',
  'createdAt',
  'targetItemId',
  'dataInterface',
  'targetItemType',
  'referenceType',
  'referenceId',
  'startedAt',
  'updatedAt',
  'endedAt',
] as const;
type TextField = (typeof TEXT_FIELDS)[number];

/** Absent text is empty; absent and null are the same for the rest. */
export type Payload = Record<TextField, string> & {
  byok: JsonValue;
  referenceCost: JsonValue;
  data: JsonRecord | null;
};

export type Decoded = { readonly payload: Payload } | { readonly problem: string };

const FIELDS: ReadonlySet<string> = new Set([...TEXT_FIELDS, 'byok', 'referenceCost', 'data']);
const BY_FOLDED: ReadonlyMap<string, string> = new Map([...FIELDS].map((field) => [field.toLowerCase(), field]));
const LONGEST_FIELD = Math.max(...[...FIELDS].map((field) => field.length));

export function decodePayload(input: string): Decoded {
  const text = withoutLoneSurrogates(input);
  let parsed: JsonValue;
  try {
    parsed = JSON.parse(text) as JsonValue;
  } catch {
    return { problem: 'the payload is not valid JSON' };
  }
  if (parsed === null) return { payload: emptyPayload() };
  if (typeof parsed !== 'object' || Array.isArray(parsed)) return { problem: 'the payload is not a JSON object' };
  const scan = scanObject(text);
  if (scan.kind === 'too_deep') return { problem: 'the payload is nested too deeply' };
  if (scan.kind === 'plain' && isPlain(parsed, scan.topLevelKeys)) return fromParsed(parsed);
  return fromEntries(text);
}

/** True when the parsed object says all that the text said: no repeated key, and no field in another spelling. */
function isPlain(parsed: JsonRecord, keysInText: number): boolean {
  let keys = 0;
  for (const key in parsed) {
    keys++;
    if (!FIELDS.has(key) && fieldOf(key) !== undefined) return false;
  }
  return keys === keysInText;
}

/** Unicode simple folding: beyond ASCII only ſ and K fold to letters of the field names. */
export function fieldOf(key: string): string | undefined {
  if (FIELDS.has(key)) return key;
  if (key.length > LONGEST_FIELD) return undefined;
  return BY_FOLDED.get(key.toLowerCase().replaceAll('ſ', 's'));
}

function fromParsed(parsed: JsonRecord): Decoded {
  const payload = emptyPayload();
  for (const field of TEXT_FIELDS) {
    const value = parsed[field];
    if (typeof value === 'string') payload[field] = value;
    else if (value !== undefined && value !== null) return { problem: `${field} is not a string` };
  }
  const { byok = null, referenceCost = null, data = null } = parsed;
  if (!isRecordOrNull(data)) return { problem: 'data is not an object' };
  payload.byok = byok;
  payload.referenceCost = referenceCost;
  payload.data = data;
  return { payload };
}

/** Entry by entry, as the decoder went; slower, for the payloads where order matters. */
function fromEntries(text: string): Decoded {
  const payload = emptyPayload();
  for (const entry of entriesOf(text)) {
    const field = fieldOf(entry.key);
    if (field === undefined) continue;
    const value = JSON.parse(entry.value) as JsonValue;
    if (field === 'data' || field === 'byok' || field === 'referenceCost') {
      if (hasOverflow(entry.value)) return { problem: `${field} holds a number that is too large` };
      if (field !== 'data') payload[field] = value;
      else if (!isRecordOrNull(value)) return { problem: 'data is not an object' };
      else payload.data = value === null || payload.data === null ? value : merge(payload.data, value);
    } else if (typeof value === 'string') payload[field as TextField] = value;
    else if (value !== null) return { problem: `${field} is not a string` };
  }
  return { payload };
}

function isRecordOrNull(value: JsonValue): value is JsonRecord | null {
  return typeof value === 'object' && !Array.isArray(value);
}

function merge(into: JsonRecord, from: JsonRecord): JsonRecord {
  for (const key of Object.keys(from)) setOwn(into, key, from[key] as JsonValue);
  return into;
}

/** Sets a key that may be spelled `__proto__` without touching the prototype. */
export function setOwn<T>(target: { [key: string]: T }, key: string, value: T): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}

function emptyPayload(): Payload {
  return {
    orgId: '',
    methodName: '',
    providerName: '',
    serviceName: '',
    id: '',
    createdAt: '',
    targetItemId: '',
    dataInterface: '',
    targetItemType: '',
    referenceType: '',
    referenceId: '',
    startedAt: '',
    updatedAt: '',
    endedAt: '',
    byok: null,
    referenceCost: null,
    data: null,
  };
}
