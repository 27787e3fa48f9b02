/**
 * The mapping of the original service, in the two revisions that matter: what a raw payload becomes, or why nothing.
 * Its results are parts; `transform.ts` makes an object of them and `event-text.ts` a message's text. Pure, without a
 * clock; never throws, whatever the bytes.
 */

import { formatFixed6, parseFloat64, parseInt64 } from './go-numbers.ts';
import { lower, stringify, trim } from './go-text.ts';
import { type JsonRecord, type Payload, decodePayload } from './payload.ts';
import { type OwnTexts, mergeProperties, textOf } from './properties.ts';
import { reprintRfc3339 } from './rfc3339.ts';

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

/** What the payload says of an event; tenant and environment are the row's. */
export interface MappedEvent {
  readonly id: string;
  readonly eventName: string;
  /** Name, text, name, text, …; sorted by name. */
  readonly properties: readonly string[];
  readonly source: string;
  readonly timestamp: string;
  /** Go parses offsets of 24 hours but refuses to write them into JSON. */
  readonly canBeWritten: boolean;
  readonly customerId: string;
  /** Without a backslash in the payload no text of it has a character that JSON must escape; only nested JSON has. */
  readonly hasEscapes: boolean;
}

type Mapped =
  | { readonly kind: 'event'; readonly event: MappedEvent }
  | { readonly kind: 'drop'; readonly reason: DropReason }
  | { readonly kind: 'error'; readonly error: string };

export const PARSE_ERROR = 'Failed to parse Bento payload';
export const TIMESTAMP_ERROR = 'Failed to parse createdAt timestamp';

export function mapPayload(text: string, profile: Profile): Mapped {
  const decoded = decodePayload(text);
  if ('problem' in decoded) return { kind: 'error', error: `${PARSE_ERROR}: ${decoded.problem}` };
  const { payload } = decoded;
  const reason = firstFailingRule(payload, profile);
  if (reason !== undefined) return { kind: 'drop', reason };
  const timestamp = reprintRfc3339(payload.createdAt);
  if (timestamp === undefined) return { kind: 'error', error: `${TIMESTAMP_ERROR}: it is not RFC 3339` };
  const names = resolveNames(payload);
  const eventName = names.provider + names.method + names.model;
  return {
    kind: 'event',
    event: {
      id: payload.id,
      eventName: profile === 'current' ? trim(eventName) : eventName,
      properties: mergeProperties(payload.data, ownTexts(payload, names, profile)),
      source: payload.targetItemId,
      timestamp: timestamp.text,
      canBeWritten: timestamp.isSerializable,
      customerId: payload.orgId,
      // A model name that is an object is JSON in the middle of a name.
      hasEscapes: text.includes('\\') || eventName.includes('"'),
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

/** The one method that is called otherwise. */
export const BEDROCK = 'BEDROCK_LLM';
export const MODELING = '-modeling';

interface Names {
  readonly provider: string;
  readonly model: string;
  readonly method: string;
}

function resolveNames(raw: Payload): Names {
  const model = textOf(raw.data, 'modelName') || modelNameOf(raw.data);
  return {
    provider: lower(trim(raw.providerName === '' ? raw.serviceName : raw.providerName)),
    model: model === '' ? '' : `-${lower(trim(model))}`,
    method: raw.methodName === BEDROCK ? MODELING : `-${lower(trim(raw.methodName))}`,
  };
}

/** In the order of `OWN_NAMES`. */
function ownTexts(raw: Payload, names: Names, profile: Profile): OwnTexts {
  const promptTokens = textOf(raw.data, 'promptTokens');
  const numCharacters = textOf(raw.data, 'numCharacters');
  const durationMS = textOf(raw.data, 'durationMS');
  return [
    profile === 'current' && promptTokens !== undefined
      ? billableTokens(promptTokens, textOf(raw.data, 'cachedPromptTokens'))
      : undefined,
    numCharacters !== undefined ? 'characters' : durationMS !== undefined ? 'milliseconds' : '',
    timesChannels(numCharacters ?? durationMS ?? '', textOf(raw.data, 'channels')),
    raw.byok === null ? undefined : stringify(raw.byok),
    given(raw.createdAt),
    given(raw.dataInterface),
    given(raw.endedAt),
    given(raw.methodName),
    given(raw.providerName),
    raw.referenceCost === null ? undefined : stringify(raw.referenceCost),
    given(raw.referenceId),
    given(raw.referenceType),
    names.method,
    names.model,
    names.provider,
    given(raw.serviceName),
    given(raw.startedAt),
    given(raw.targetItemId),
    given(raw.targetItemType),
    given(raw.updatedAt),
  ];
}

/** Copied as it is when not empty. */
function given(text: string): string | undefined {
  return text === '' ? undefined : text;
}

/** Prompt tokens that were not served from a cache, as a 64-bit difference. */
export function billableTokens(promptTokens: string, cachedPromptTokens: string | undefined): string {
  const cached = parseInt64(cachedPromptTokens ?? '');
  const difference = parseInt64(promptTokens).value - (cached.ok ? cached.value : 0n);
  return BigInt.asIntN(64, difference).toString();
}

export function timesChannels(value: string, channels: string | undefined): string {
  if (value === '' || channels === undefined) return value;
  const amount = parseFloat64(value);
  const factor = parseFloat64(channels);
  if (amount === undefined || factor === undefined || !(amount > 0) || !(factor > 0)) return value;
  return formatFixed6(amount * factor);
}
