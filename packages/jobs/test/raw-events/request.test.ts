import { parseRequest, runIdOf, workflowId } from '../../src/raw-events/request.ts';

const NOW = new Date('2026-04-01T12:00:00.789Z');
const ULID = '01JQ7Z0000000000000000ABCD';
const parse = (
  body: unknown,
  caller = { tenantId: 't1' as string | undefined, environmentId: undefined as string | undefined },
) => parseRequest(typeof body === 'string' ? body : JSON.stringify(body), caller, NOW);

const START = { start_date: '2024-01-01T00:00:00Z' };

test.each([
  ['Invalid request format', {}],
  ['Invalid request format', '{'],
  ['Invalid request format', ''],
  ['Invalid request format', []],
  ['Invalid request format', { start_date: '' }],
  ['Invalid request format', { start_date: 5 }],
  ['Invalid request format', { ...START, batch_size: '100' }],
  ['Invalid request format', { ...START, batch_size: 1.5 }],
  ['Invalid request format', { ...START, external_customer: 'misspelt' }],
  ['Start date must be in RFC3339 format (e.g., 2006-01-02T15:04:05Z07:00)', { start_date: '2024-01-01' }],
  ['Start date must be in RFC3339 format (e.g., 2006-01-02T15:04:05Z07:00)', { start_date: 'x', end_date: 'y' }],
  ['End date must be in RFC3339 format (e.g., 2006-01-02T15:04:05Z07:00)', { ...START, end_date: '2024-01-31' }],
  ['Start date must be before end date', { ...START, end_date: '2023-12-31T23:59:59Z' }],
])('%s: %j', (hint, body) => {
  expect(parse(body)).toMatchObject({ hint });
});

test('the tenant comes last, from the body, the caller or the configuration', () => {
  const nobody = { tenantId: undefined, environmentId: undefined };
  expect(parse(START, nobody)).toMatchObject({ hint: 'tenant_id is required' });
  expect(parse({ ...START, end_date: 'x' }, nobody)).toMatchObject({
    hint: expect.stringContaining('End date') as string,
  });
  expect(parse({ ...START, tenant_id: 't2' })).toMatchObject({ config: { tenant_id: 't2' } });
  expect(parse(START, { tenantId: 't1', environmentId: 'e1' })).toEqual({
    config: {
      tenant_id: 't1',
      environment_id: 'e1',
      start_date: START.start_date,
      end_date: '2026-04-01T12:00:00Z',
      batch_size: 1000,
    },
  });
});

test('defaults: an empty end is now, a batch size that is not positive is 1000, empty filters are none', () => {
  expect(parse({ ...START, end_date: '', batch_size: -5, external_customer_id: '', event_name: null })).toEqual({
    config: { tenant_id: 't1', start_date: START.start_date, end_date: '2026-04-01T12:00:00Z', batch_size: 1000 },
  });
  expect(parse({ ...START, end_date: START.start_date, batch_size: 5000 })).toMatchObject({
    config: { batch_size: 5000 },
  });
});

test('P15 workflow ids', () => {
  const id = (config: object) => workflowId(config as never, ULID);
  expect(id({ external_customer_id: 'c', event_name: 'n' })).toBe(`wf_ReprocessRawEventsWorkflow_c-n_${ULID}`);
  expect(id({ external_customer_ids: ['c', 'd'], event_names: ['n', 'm'] })).toBe(
    `wf_ReprocessRawEventsWorkflow_c-n_${ULID}`,
  );
  expect(id({ external_customer_id: 'c' })).toBe(`wf_ReprocessRawEventsWorkflow_c_${ULID}`);
  expect(id({ event_name: 'n' })).toBe(`wf_ReprocessRawEventsWorkflow_${ULID}`);
  for (const config of [{}, { event_name: 'n' }, { external_customer_id: 'a_b', event_name: 'x\ny' }])
    expect(runIdOf(id(config))).toBe(ULID);
  expect(runIdOf(ULID)).toBe(ULID);
  expect(runIdOf('wf_Other_01')).toBeUndefined();
  expect(runIdOf(`wf_Other_${ULID}`)).toBeUndefined();
});
