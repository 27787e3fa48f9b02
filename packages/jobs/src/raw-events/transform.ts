/**
 * Makes a billing event of a raw payload, or says why there is none: the mapping of the original service, in the two
 * revisions that matter. Pure, without a clock; never throws, whatever the bytes.
 */

import { formatFixed6, parseFloat64, parseInt64 } from './go-numbers.ts';
import { lower, stringify, trim } from './go-text.ts';
import { type JsonRecord, type JsonValue, type Payload, decodePayload, setOwn } from './payload.ts';
import { parseRfc3339 } from './rfc3339.ts';

/** `seed` as first committed, `current` since: model name optional, event name trimmed, prompt tokens billed. */
export const PROFILES = ['seed', 'current'] as const;
export type Profile = (typeof PROFILES)[number];

/** In the order in which the rules are tried. */
export const DROP_REASONS = [
  'missing_org_id',
  'missing_method_name',
  'missing_provider_name',
  'missing_data',
  'missing_model_name',
  'missing_id',
  'missing_created_at',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** What the payload does not say. */
export interface RowContext {
  readonly tenant_id: string;
  readonly environment_id: string;
}

/** Keys in the order of the message. */
export interface BillingEvent {
  readonly id: string;
  readonly tenant_id: string;
  readonly environment_id: string;
  readonly event_name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly source: string;
  readonly timestamp: string;
  readonly ingested_at: string;
  readonly customer_id: string;
  readonly external_customer_id: string;
}

export type Transformed =
  | { readonly kind: 'event'; readonly event: BillingEvent }
  | { readonly kind: 'drop'; readonly reason: DropReason }
  | { readonly kind: 'error'; readonly error: string };

export const PARSE_ERROR = 'Failed to parse Bento payload';
export const TIMESTAMP_ERROR = 'Failed to parse createdAt timestamp';

/** Go's zero time: the consumer sets its own. */
const NOT_YET_INGESTED = '0001-01-01T00:00:00Z';

/** Copied as they are when not empty; `createdAt` and the like of `data` give way to them. */
const COPIED = [
  'createdAt',
  'dataInterface',
  'endedAt',
  'methodName',
  'providerName',
  'referenceId',
  'referenceType',
  'serviceName',
  'startedAt',
  'targetItemId',
  'targetItemType',
  'updatedAt',
] as const;

export function transformRawEvent(payload: string, row: RowContext, profile: Profile): Transformed {
  const decoded = decodePayload(payload);
  if ('problem' in decoded) return { kind: 'error', error: `${PARSE_ERROR}: ${decoded.problem}` };
  const raw = decoded.payload;
  const reason = firstFailingRule(raw, profile);
  if (reason !== undefined) return { kind: 'drop', reason };
  const properties = propertiesOfData(raw.data);
  const name = resolveNames(raw, properties);
  addTopLevel(raw, properties);
  if (profile === 'current') addBillablePromptTokens(properties);
  addBillable(properties);
  const timestamp = parseRfc3339(raw.createdAt);
  if (timestamp === undefined) return { kind: 'error', error: `${TIMESTAMP_ERROR}: it is not RFC 3339` };
  return {
    kind: 'event',
    event: {
      id: raw.id,
      tenant_id: row.tenant_id,
      environment_id: row.environment_id,
      event_name: profile === 'current' ? trim(name) : name,
      properties: sorted(properties),
      source: raw.targetItemId,
      timestamp: timestamp.text,
      ingested_at: NOT_YET_INGESTED,
      customer_id: '',
      external_customer_id: raw.orgId,
    },
  };
}

/** Empty is the text of no length: a blank passes. */
function firstFailingRule(raw: Payload, profile: Profile): DropReason | undefined {
  if (raw.orgId === '') return 'missing_org_id';
  if (raw.methodName === '') return 'missing_method_name';
  if (raw.providerName === '' && raw.serviceName === '') return 'missing_provider_name';
  if (profile === 'seed') {
    if (raw.data === null) return 'missing_data';
    if (modelNameOf(raw.data) === '') return 'missing_model_name';
  }
  if (raw.id === '') return 'missing_id';
  if (raw.createdAt === '') return 'missing_created_at';
  return undefined;
}

function modelNameOf(data: JsonRecord | null): string {
  return stringify(data?.modelName ?? null);
}

/** A map while they are made: four times as fast as an object whose keys come from outside. */
type Properties = Map<string, string>;

/** Every value as text; of an object with a key `value`, that one. */
function propertiesOfData(data: JsonRecord | null): Properties {
  const properties: Properties = new Map();
  for (const key in data) properties.set(key, stringify(unwrapped(data[key] as JsonValue)));
  return properties;
}

function unwrapped(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return value.value === undefined ? value : value.value;
}

/** Adds the three resolved names; gives the event name that they make. */
function resolveNames(raw: Payload, properties: Properties): string {
  const provider = lower(trim(raw.providerName === '' ? raw.serviceName : raw.providerName));
  const modelText = properties.get('modelName') || modelNameOf(raw.data);
  const model = modelText === '' ? '' : `-${lower(trim(modelText))}`;
  const method = raw.methodName === 'BEDROCK_LLM' ? '-modeling' : `-${lower(trim(raw.methodName))}`;
  properties.set('resolvedProviderName', provider);
  properties.set('resolvedModelName', model);
  properties.set('resolvedMethodName', method);
  return provider + method + model;
}

function addTopLevel(raw: Payload, properties: Properties): void {
  if (raw.byok !== null) properties.set('byok', stringify(raw.byok));
  if (raw.referenceCost !== null) properties.set('referenceCost', stringify(raw.referenceCost));
  for (const field of COPIED) {
    const value = raw[field];
    if (value !== '') properties.set(field, value);
  }
}

/** Prompt tokens that were not served from a cache, as a 64-bit difference. */
function addBillablePromptTokens(properties: Properties): void {
  const promptTokens = properties.get('promptTokens');
  if (promptTokens === undefined) return;
  const cached = parseInt64(properties.get('cachedPromptTokens') ?? '');
  const difference = parseInt64(promptTokens).value - (cached.ok ? cached.value : 0n);
  properties.set('billablePromptTokens', BigInt.asIntN(64, difference).toString());
}

function addBillable(properties: Properties): void {
  const numCharacters = properties.get('numCharacters');
  const durationMS = properties.get('durationMS');
  const channels = properties.get('channels');
  const value = numCharacters ?? durationMS ?? '';
  properties.set('billable_value', channels === undefined ? value : timesChannels(value, channels));
  properties.set(
    'billable_unit',
    numCharacters !== undefined ? 'characters' : durationMS !== undefined ? 'milliseconds' : '',
  );
}

function timesChannels(value: string, channels: string): string {
  if (value === '') return value;
  const amount = parseFloat64(value);
  const factor = parseFloat64(channels);
  if (amount === undefined || factor === undefined || !(amount > 0) || !(factor > 0)) return value;
  return formatFixed6(amount * factor);
}

function sorted(properties: Properties): Record<string, string> {
  const out: Record<string, string> = {};
  for (const key of [...properties.keys()].sort()) setOwn(out, key, properties.get(key) as string);
  return out;
}
