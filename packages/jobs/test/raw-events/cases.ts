/** The transformer cases of the original service: payloads, and what each revision made of them. */

import { type BillingEvent, type DropReason, PROFILES, type Profile } from '@skein/jobs';

export type Expected =
  { readonly event: BillingEvent } | { readonly drop: DropReason } | { readonly error: 'parse' | 'timestamp' };

export interface Case {
  readonly title: string;
  readonly payload: string;
  readonly expected: Readonly<Record<Profile, Expected>>;
}

type Fields = Record<string, unknown>;

export const B0 = {
  orgId: 'org-1',
  id: 'evt-1',
  methodName: 'modeling',
  providerName: 'openai',
  createdAt: '2026-03-21T00:00:37.092Z',
  data: { modelName: 'gpt-4.1' },
};

const E0: BillingEvent = {
  id: 'evt-1',
  tenant_id: 't1',
  environment_id: 'e1',
  event_name: 'openai-modeling-gpt-4.1',
  properties: {
    billable_unit: '',
    billable_value: '',
    createdAt: '2026-03-21T00:00:37.092Z',
    methodName: 'modeling',
    modelName: 'gpt-4.1',
    providerName: 'openai',
    resolvedMethodName: '-modeling',
    resolvedModelName: '-gpt-4.1',
    resolvedProviderName: 'openai',
  },
  source: '',
  timestamp: '2026-03-21T00:00:37.092Z',
  ingested_at: '0001-01-01T00:00:00Z',
  customer_id: '',
  external_customer_id: 'org-1',
};

/** B0 with fields set, and without those that are undefined. */
const b0 = (set: Fields = {}) => JSON.stringify({ ...B0, ...set });
const withData = (more: Fields) => b0({ data: { ...B0.data, ...more } });
/** B0's text after these characters. */
const rest = b0().slice(1);
const restWithoutOrg = b0({ orgId: undefined }).slice(1);

/** E0 with properties set, and without those that are undefined. */
function e0(properties: Record<string, string | undefined> = {}, set: Partial<BillingEvent> = {}): Expected {
  const merged = Object.entries({ ...E0.properties, ...properties }).filter(([, value]) => value !== undefined);
  return { event: { ...E0, ...set, properties: Object.fromEntries(merged) as Record<string, string> } };
}

export const CASES: Case[] = [];

function add(title: string, payloads: string | readonly string[], both: Expected): void;
function add(title: string, payloads: string | readonly string[], seed: Expected, current: Expected): void;
function add(title: string, payloads: string | readonly string[], seed: Expected, current: Expected = seed): void {
  [payloads].flat().forEach((payload, i, all) => {
    const which = all.length > 1 ? ` (${i + 1}: ${payload.slice(0, 60)})` : '';
    CASES.push({ title: `${title}${which}`, payload, expected: { seed, current } });
  });
}

const named = (event_name: string, properties: Record<string, string | undefined> = {}) =>
  e0(properties, { event_name });
const PARSE: Expected = { error: 'parse' };
const TIMESTAMP: Expected = { error: 'timestamp' };

add('1 base', b0(), e0());
add(
  '2 all fields',
  '{"id":"evt-9","orgId":"org-9","targetItemType":"call","targetItemId":"tgt-1","referenceType":"transcriber","providerName":"11labs","methodName":"synthesizer","createdAt":"2026-01-02T16:17:31.458Z","updatedAt":"2026-01-02T16:17:31.458Z","startedAt":"2026-01-02T16:17:11.674Z","endedAt":"2026-01-02T16:17:31.458Z","dataInterface":"MODEL_USAGE_DATA_TYPE","byok":true,"isSubscribed":false,"data":{"modelName":"eleven_turbo_v2_5","numCharacters":150,"channels":3},"referenceCost":0}',
  {
    event: {
      ...E0,
      id: 'evt-9',
      event_name: '11labs-synthesizer-eleven_turbo_v2_5',
      source: 'tgt-1',
      timestamp: '2026-01-02T16:17:31.458Z',
      external_customer_id: 'org-9',
      properties: {
        billable_unit: 'characters',
        billable_value: '450.000000',
        byok: 'true',
        channels: '3',
        createdAt: '2026-01-02T16:17:31.458Z',
        updatedAt: '2026-01-02T16:17:31.458Z',
        endedAt: '2026-01-02T16:17:31.458Z',
        startedAt: '2026-01-02T16:17:11.674Z',
        dataInterface: 'MODEL_USAGE_DATA_TYPE',
        methodName: 'synthesizer',
        modelName: 'eleven_turbo_v2_5',
        numCharacters: '150',
        providerName: '11labs',
        referenceCost: '0',
        referenceType: 'transcriber',
        targetItemId: 'tgt-1',
        targetItemType: 'call',
        resolvedProviderName: '11labs',
        resolvedMethodName: '-synthesizer',
        resolvedModelName: '-eleven_turbo_v2_5',
      },
    },
  },
);
add('3 no customer', [b0({ orgId: undefined }), b0({ orgId: '' }), b0({ orgId: null })], { drop: 'missing_org_id' });
add('4 no method', [b0({ methodName: undefined }), b0({ methodName: '' })], { drop: 'missing_method_name' });
add('5 no provider', [b0({ providerName: undefined }), b0({ providerName: null })], { drop: 'missing_provider_name' });
add('6 no id', b0({ id: undefined }), { drop: 'missing_id' });
add('7 no createdAt', [b0({ createdAt: undefined }), b0({ createdAt: '' })], { drop: 'missing_created_at' });
const noModel = named('openai-modeling', { modelName: undefined, resolvedModelName: '' });
add('8 no data', [b0({ data: undefined }), b0({ data: null })], { drop: 'missing_data' }, noModel);
add('8 empty data', b0({ data: {} }), { drop: 'missing_model_name' }, noModel);
add(
  '9 empty model name',
  [b0({ data: { modelName: '' } }), b0({ data: { modelName: null } })],
  { drop: 'missing_model_name' },
  named('openai-modeling', { modelName: '', resolvedModelName: '' }),
);
add(
  '10 a model name of nothing inside a value',
  b0({ data: { modelName: { value: '' } } }),
  named('openai-modeling-{"value":""}', { modelName: '', resolvedModelName: '-{"value":""}' }),
);
add(
  '11 model name in a value',
  b0({ data: { modelName: { value: 'GPT-4o ' } } }),
  named('openai-modeling-gpt-4o', { modelName: 'GPT-4o ', resolvedModelName: '-gpt-4o' }),
);
add(
  '13 numeric model',
  b0({ data: { modelName: 4 } }),
  named('openai-modeling-4', { modelName: '4', resolvedModelName: '-4' }),
);
add(
  '14 boolean model',
  b0({ data: { modelName: false } }),
  named('openai-modeling-false', { modelName: 'false', resolvedModelName: '-false' }),
);
add(
  '15 keys of data are case-sensitive',
  b0({ data: { ModelName: 'gpt-4.1' } }),
  { drop: 'missing_model_name' },
  named('openai-modeling', { modelName: undefined, ModelName: 'gpt-4.1', resolvedModelName: '' }),
);
add('17 the later of two wins', `{"orgId":"a","orgId":"b",${restWithoutOrg}`, e0({}, { external_customer_id: 'b' }));
add(
  '18 in any case',
  [`{"orgId":"a","ORGID":"b",${restWithoutOrg}`, `{"ORGID":"b",${restWithoutOrg}`],
  e0({}, { external_customer_id: 'b' }),
);
add(
  '18 the exact name in between',
  `{"orgId":"a","ORGID":"c","orgId":"b",${restWithoutOrg}`,
  e0({}, { external_customer_id: 'b' }),
);
add(
  '18 the folded name last',
  `{"orgId":"a","orgId":"c","ORGID":"b",${restWithoutOrg}`,
  e0({}, { external_customer_id: 'b' }),
);
add(
  '18 null leaves the earlier',
  [`{"orgId":"b","orgId":null,${restWithoutOrg}`, `{"orgId":"b","OrgId":null,${restWithoutOrg}`],
  e0({}, { external_customer_id: 'b' }),
);
add(
  '19 folds beyond ASCII',
  `{"ſerviceName":"Azure",${b0({ providerName: undefined }).slice(1)}`,
  named('azure-modeling-gpt-4.1', { providerName: undefined, serviceName: 'Azure', resolvedProviderName: 'azure' }),
);
add('19 the Kelvin sign', `{"byo\u212a":true,${rest}`, e0({ byok: 'true' }));
add(
  '20–22 text fields of another type',
  [b0({ orgId: 123 }), b0({ id: 7 }), b0({ createdAt: 1700000000 }), b0({ endedAt: {} }), b0({ referenceId: [] })],
  PARSE,
);
add('20 a wrong type outranks a missing field', b0({ orgId: '', updatedAt: true }), PARSE);
add('23 a blank customer passes', b0({ orgId: '  ' }), e0({}, { external_customer_id: '  ' }));
add('23 a blank id passes', b0({ id: ' ' }), e0({}, { id: ' ' }));
add(
  '25 method trimmed and lowered',
  b0({ methodName: '  Transcription  ' }),
  named('openai-transcription-gpt-4.1', { methodName: '  Transcription  ', resolvedMethodName: '-transcription' }),
);
add('26 the special method', b0({ methodName: 'BEDROCK_LLM' }), e0({ methodName: 'BEDROCK_LLM' }));
for (const methodName of ['bedrock_llm', ' BEDROCK_LLM']) {
  add(
    '27 only exactly',
    b0({ methodName }),
    named('openai-bedrock_llm-gpt-4.1', { methodName, resolvedMethodName: '-bedrock_llm' }),
  );
}
add(
  '28 service instead of provider',
  b0({ providerName: undefined, serviceName: ' Deepgram ' }),
  named('deepgram-modeling-gpt-4.1', {
    providerName: undefined,
    serviceName: ' Deepgram ',
    resolvedProviderName: 'deepgram',
  }),
);
add('29 provider before service', b0({ serviceName: 'Azure' }), e0({ serviceName: 'Azure' }));
add(
  '30 empty provider',
  b0({ providerName: '', serviceName: 'Azure' }),
  named('azure-modeling-gpt-4.1', { providerName: undefined, serviceName: 'Azure', resolvedProviderName: 'azure' }),
);
const blank = { providerName: ' ', serviceName: 'Azure', resolvedProviderName: '' };
add('31 a blank provider wins', b0({ providerName: ' ', serviceName: 'Azure' }), named('-modeling-gpt-4.1', blank));
add(
  '32 inner spaces stay',
  b0({ providerName: 'Open AI', data: { modelName: 'GPT 4' } }),
  named('open ai-modeling-gpt 4', {
    providerName: 'Open AI',
    modelName: 'GPT 4',
    resolvedProviderName: 'open ai',
    resolvedModelName: '-gpt 4',
  }),
);
add(
  '33 trims U+0085 and not U+FEFF, lowers rune by rune',
  b0({ providerName: '\u0085İΣ\u0085', data: { modelName: '\ufeffm' } }),
  named('iσ-modeling-\ufeffm', {
    providerName: '\u0085İΣ\u0085',
    modelName: '\ufeffm',
    resolvedProviderName: 'iσ',
    resolvedModelName: '-\ufeffm',
  }),
);
add(
  '34 only the current revision trims the whole name',
  b0({ data: { modelName: 'm', x: 1 }, providerName: 'a', methodName: 'b' }),
  named('a-b-m', {
    providerName: 'a',
    methodName: 'b',
    modelName: 'm',
    x: '1',
    resolvedProviderName: 'a',
    resolvedMethodName: '-b',
    resolvedModelName: '-m',
  }),
);
const at = (createdAt: string, timestamp: string) =>
  add('35–37 timestamps', b0({ createdAt }), e0({ createdAt }, { timestamp }));
at('2026-03-21T00:00:37.090Z', '2026-03-21T00:00:37.09Z');
at('2026-03-21T05:30:37+05:30', '2026-03-21T05:30:37+05:30');
at('2026-03-21T00:00:37.1234567891Z', '2026-03-21T00:00:37.123456789Z');
at('2026-03-21T00:00:37+00:00', '2026-03-21T00:00:37Z');
at('2026-03-21T00:00:37-00:00', '2026-03-21T00:00:37Z');
at('2026-03-21T00:00:37,5Z', '2026-03-21T00:00:37.5Z');
at('2026-03-21T7:00:37Z', '2026-03-21T07:00:37Z');
at('2024-02-29T00:00:37.000Z', '2024-02-29T00:00:37Z');
at('0000-02-29T00:00:00-12:00', '0000-02-29T00:00:00-12:00');
// It only fails when it is written as JSON, which counts as a publish failure.
at('2026-03-21T00:00:37+24:00', '2026-03-21T00:00:37+24:00');
at('2026-03-21T00:00:37+23:60', '2026-03-21T00:00:37+24:00');
for (const createdAt of [
  'not-a-date',
  '2026-03-21',
  '2026-03-21 00:00:37Z',
  '2026-03-21T00:00:37',
  '2026-03-21T00:00:37+25:00',
  '2026-03-21t00:00:37Z',
  '2026-03-21T00:00:37z',
  '2026-03-21T00:00Z',
  '2026-03-21T00:00:37+0530',
  '2026-03-21T24:00:00Z',
  '2026-03-21T00:00:60Z',
  '2026-02-30T00:00:00Z',
  '2023-02-29T00:00:00Z',
  ' 2026-03-21T00:00:37Z',
  '2026-03-21T00:00:37Z ',
  '2026-03-21T00:00:37.Z',
  '12026-03-21T00:00:37Z',
  '2026-13-01T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-03-00T00:00:00Z',
])
  add('38–41 not RFC 3339', b0({ createdAt }), TIMESTAMP);
add('42 byok', b0({ byok: true }), e0({ byok: 'true' }));
add('42 byok number', b0({ byok: 1 }), e0({ byok: '1' }));
add('42 byok text', b0({ byok: 'yes' }), e0({ byok: 'yes' }));
add('42 byok empty', b0({ byok: '' }), e0({ byok: '' }));
add('42 byok null', b0({ byok: null }), e0());
add('42 byok object', b0({ byok: { b: 1, a: [true, null] } }), e0({ byok: '{"a":[true,null],"b":1}' }));
for (const [json, text] of [
  ['0.001994', '0.001994'],
  ['"0.10"', '0.10'],
  ['1.50', '1.5'],
  ['100000', '100000'],
  ['0', '0'],
  ['999999', '999999'],
  ['1000000', '1e+06'],
  ['1234567', '1.234567e+06'],
  ['123456789.5', '1.234567895e+08'],
  ['0.0001', '0.0001'],
  ['0.00001', '1e-05'],
  ['-0', '-0'],
  ['9007199254740993', '9.007199254740992e+15'],
  ['-1000000', '-1e+06'],
  ['1e100', '1e+100'],
  ['5e-324', '5e-324'],
  ['999999.5', '999999.5'],
  ['-0.00012', '-0.00012'],
  ['1e-400', '0'],
  ['[1000000,1e21,1e-7,-0,0.000001]', '[1000000,1e+21,1e-7,-0,0.000001]'],
])
  add(`43 referenceCost ${json}`, `{"referenceCost":${json},${rest}`, e0({ referenceCost: text as string }));
add('43 referenceCost null', b0({ referenceCost: null }), e0());
add(
  '44 numbers that overflow',
  [
    `{"byok":1e400,${rest}`,
    `{"referenceCost":-1e400,${rest}`,
    `{"referenceCost":[{"a":1e999}],${rest}`,
    `{"data":{"modelName":"m","x":1e400},${rest}`,
    `{"data":{"modelName":"m","x":1e400,"x":1},${rest}`,
    `{"byok":${'9'.repeat(310)},${rest}`,
    `{"byok":1e400,"byok":1,${rest}`,
  ],
  PARSE,
);
add('45 in an unknown field they do not matter', `{"other":1e400,${rest}`, e0());
const copied = {
  dataInterface: 'D',
  serviceName: 'S',
  targetItemType: 'call',
  targetItemId: 'tgt-9',
  referenceType: 'completion',
  referenceId: 'ref-1',
  startedAt: 'x',
  updatedAt: 'y',
  endedAt: 'z',
};
add(
  '46 copied fields',
  b0({ ...copied, tenant_id: 'evil', event_name: 'ignored', source: 'ignored' }),
  e0(copied, { source: 'tgt-9' }),
);
add(
  '47 values of data',
  withData({
    a: null,
    b: true,
    c: [1, 2.5, 'x'],
    d: { k: 1, a: 2 },
    e: { value: 5 },
    f: { value: null },
    i: { value: false },
    j: { key: 'k', value: 'V' },
    l: '  keep  ',
  }),
  e0({ a: '', b: 'true', c: '[1,2.5,"x"]', d: '{"a":2,"k":1}', e: '5', f: '', i: 'false', j: 'V', l: '  keep  ' }),
);
add(
  '48 only one level is unwrapped',
  withData({ x: { value: { value: 1e6 } }, y: [{ value: 1 }] }),
  e0({ x: '{"value":1000000}', y: '[{"value":1}]' }),
);
add(
  '48 nested text is escaped',
  withData({ x: { b: '<&>\u2028"\n', a: [] } }),
  e0({ x: '{"a":[],"b":"\\u003c\\u0026\\u003e\\u2028\\"\\n"}' }),
);
add(
  '48 keys in the order of their bytes',
  withData({ x: { '\u{1f600}': 1, '\uff5e': 2 } }),
  e0({ x: '{"\uff5e":2,"\u{1f600}":1}' }),
);
add(
  '49 the top level overwrites data',
  withData({
    providerName: 'dataProv',
    createdAt: 'dc',
    methodName: 'dm',
    billable_value: '9',
    billable_unit: 'u',
    resolvedModelName: 'r',
  }),
  e0(),
);
add(
  '50 a key of data survives where the top level has none',
  withData({ serviceName: 's', byok: 'b' }),
  e0({ serviceName: 's', byok: 'b' }),
);

const tokens = (data: Fields, kept: Record<string, string>, billable: string | undefined) =>
  add(
    `51–55 tokens ${JSON.stringify(data)}`,
    withData(data),
    e0(kept),
    e0({ ...kept, billablePromptTokens: billable }),
  );
tokens({ promptTokens: 2961, cachedPromptTokens: 2816 }, { promptTokens: '2961', cachedPromptTokens: '2816' }, '145');
tokens({ promptTokens: 1000 }, { promptTokens: '1000' }, '1000');
tokens({ cachedPromptTokens: 5 }, { cachedPromptTokens: '5' }, undefined);
tokens({ promptTokens: 100, cachedPromptTokens: 200 }, { promptTokens: '100', cachedPromptTokens: '200' }, '-100');
tokens(
  { promptTokens: '1795', cachedPromptTokens: '1664' },
  { promptTokens: '1795', cachedPromptTokens: '1664' },
  '131',
);
tokens(
  { promptTokens: { value: 2961 }, cachedPromptTokens: { value: '2816' } },
  { promptTokens: '2961', cachedPromptTokens: '2816' },
  '145',
);
for (const [value, text] of [
  ['not-a-number', 'not-a-number'],
  [12.5, '12.5'],
  [' 12', ' 12'],
  ['1_000', '1_000'],
  [true, 'true'],
  ['', ''],
  [null, ''],
] as const)
  tokens({ promptTokens: value }, { promptTokens: text }, '0');
tokens({ promptTokens: '+5' }, { promptTokens: '+5' }, '5');
tokens({ promptTokens: '007' }, { promptTokens: '007' }, '7');
tokens({ promptTokens: null, cachedPromptTokens: 3 }, { promptTokens: '', cachedPromptTokens: '3' }, '-3');
tokens({ promptTokens: 5, cachedPromptTokens: 'abc' }, { promptTokens: '5', cachedPromptTokens: 'abc' }, '5');
tokens({ promptTokens: 1000000 }, { promptTokens: '1e+06' }, '0');
tokens({ promptTokens: '99999999999999999999' }, { promptTokens: '99999999999999999999' }, '9223372036854775807');
tokens(
  { promptTokens: '1', cachedPromptTokens: '99999999999999999999' },
  { promptTokens: '1', cachedPromptTokens: '99999999999999999999' },
  '1',
);
tokens(
  { promptTokens: '-9223372036854775808', cachedPromptTokens: '1' },
  { promptTokens: '-9223372036854775808', cachedPromptTokens: '1' },
  '9223372036854775807',
);
add('56 a key of that name', withData({ billablePromptTokens: 77 }), e0({ billablePromptTokens: '77' }));
add(
  '56 is overwritten',
  withData({ billablePromptTokens: 77, promptTokens: 10 }),
  e0({ promptTokens: '10', billablePromptTokens: '77' }),
  e0({ promptTokens: '10', billablePromptTokens: '10' }),
);

const billable = (data: Fields, kept: Record<string, string>, value: string, unit: string) =>
  add(
    `57–63 billable ${JSON.stringify(data)}`,
    withData(data),
    e0({ ...kept, billable_value: value, billable_unit: unit }),
  );
billable({ numCharacters: 120 }, { numCharacters: '120' }, '120', 'characters');
billable({ durationMS: 5000 }, { durationMS: '5000' }, '5000', 'milliseconds');
billable({ numCharacters: 120, durationMS: 5000 }, { numCharacters: '120', durationMS: '5000' }, '120', 'characters');
billable({ numCharacters: null, durationMS: 5000 }, { numCharacters: '', durationMS: '5000' }, '', 'characters');
billable({ durationMS: 5000, channels: 2 }, { durationMS: '5000', channels: '2' }, '10000.000000', 'milliseconds');
billable({ durationMS: 5000, channels: 1 }, { durationMS: '5000', channels: '1' }, '5000.000000', 'milliseconds');
billable({ durationMS: 5000, channels: '2' }, { durationMS: '5000', channels: '2' }, '10000.000000', 'milliseconds');
billable(
  { durationMS: { value: 3000 }, channels: { value: 2 } },
  { durationMS: '3000', channels: '2' },
  '6000.000000',
  'milliseconds',
);
billable({ channels: 2 }, { channels: '2' }, '', '');
billable({ durationMS: 1500000 }, { durationMS: '1.5e+06' }, '1.5e+06', 'milliseconds');
billable(
  { durationMS: 1500000, channels: 2 },
  { durationMS: '1.5e+06', channels: '2' },
  '3000000.000000',
  'milliseconds',
);
billable({ durationMS: 0.0000001, channels: 2 }, { durationMS: '1e-07', channels: '2' }, '0.000000', 'milliseconds');
billable(
  { durationMS: 1234.5678, channels: 1.5 },
  { durationMS: '1234.5678', channels: '1.5' },
  '1851.851700',
  'milliseconds',
);
billable({ durationMS: 0.1, channels: 3 }, { durationMS: '0.1', channels: '3' }, '0.300000', 'milliseconds');
billable({ durationMS: -5, channels: 2 }, { durationMS: '-5', channels: '2' }, '-5', 'milliseconds');
billable({ durationMS: 'abc', channels: 2 }, { durationMS: 'abc', channels: '2' }, 'abc', 'milliseconds');
billable({ durationMS: 0, channels: 2 }, { durationMS: '0', channels: '2' }, '0', 'milliseconds');
billable({ durationMS: 'INF', channels: 2 }, { durationMS: 'INF', channels: '2' }, '+Inf', 'milliseconds');
billable({ durationMS: '0x1p4', channels: 2 }, { durationMS: '0x1p4', channels: '2' }, '32.000000', 'milliseconds');
billable({ durationMS: '0x10', channels: 2 }, { durationMS: '0x10', channels: '2' }, '0x10', 'milliseconds');
billable(
  { durationMS: '1_000', channels: '2.' },
  { durationMS: '1_000', channels: '2.' },
  '2000.000000',
  'milliseconds',
);
billable({ durationMS: ' 5', channels: '.5' }, { durationMS: ' 5', channels: '.5' }, ' 5', 'milliseconds');
billable(
  { durationMS: '0.0078125', channels: 1 },
  { durationMS: '0.0078125', channels: '1' },
  '0.007812',
  'milliseconds',
);
add('64 nothing', ['null', '{}'], { drop: 'missing_org_id' });
add('64 only a customer', '{"orgId":"a"}', { drop: 'missing_method_name' });
add(
  '65 not a payload',
  [
    '',
    '   ',
    '{not json',
    '[]',
    '"x"',
    '12',
    'true',
    '{"orgId":"a"} x',
    `${b0().slice(0, -1)},}`,
    `{"x":NaN,${rest}`,
    `\ufeff${b0()}`,
    "{'orgId':1}",
    '01',
    `{"a":01,${rest}`,
    b0().slice(0, -1),
    `{"x":${'['.repeat(10_001)}${']'.repeat(10_001)},${rest}`,
  ],
  PARSE,
);
add('65 white space around', ` \n\t${b0()}\r `, e0());
add('66 data of another type', [b0({ data: 'x' }), b0({ data: [] }), b0({ data: 1 })], PARSE);
add(
  '67 two data objects merge',
  `{"data":{"modelName":"m","a":1},${b0({ data: { a: 2, b: 3 } }).slice(1)}`,
  named('openai-modeling-m', { modelName: 'm', a: '2', b: '3', resolvedModelName: '-m' }),
);
add('67 also in another case', `{"DATA":{"a":1},${rest}`, e0({ a: '1' }));
add('67 null resets data', `{"data":{"a":1},"data":null,${rest}`, e0());
add('68 a wrong type is not repaired', `{"orgId":5,${rest}`, PARSE);
add(
  '68 repeated key in data',
  `{"data":{"modelName":"x","modelName":"y"},${b0({ data: undefined }).slice(1)}`,
  named('openai-modeling-y', { modelName: 'y', resolvedModelName: '-y' }),
);
add(
  '69 text is not escaped',
  b0({ orgId: '<a&b>', data: { modelName: 'm', t: '<b>&' } }),
  e0(
    { modelName: 'm', t: '<b>&', resolvedModelName: '-m' },
    { event_name: 'openai-modeling-m', external_customer_id: '<a&b>' },
  ),
);
add(
  '71 lone surrogates',
  [
    `{"orgId":"x\\ud800y",${restWithoutOrg}`,
    `{"orgId":"x\ud800y",${restWithoutOrg}`,
    `{"orgId":"x\\udc00y",${restWithoutOrg}`,
  ],
  e0({}, { external_customer_id: 'x\ufffdy' }),
);
add('71 pairs stay', `{"orgId":"\\ud83d\\ude00",${restWithoutOrg}`, e0({}, { external_customer_id: '\u{1f600}' }));
add(
  '71 an escaped backslash is none',
  `{"orgId":"\\\\ud800",${restWithoutOrg}`,
  e0({}, { external_customer_id: '\\ud800' }),
);

export const profiles: readonly Profile[] = PROFILES;
