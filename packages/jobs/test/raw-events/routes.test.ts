import { type RawEventsSettings, rawEventsRoutes, readRawEventsSettings } from '@skein/jobs';
import {
  ConfigInvalidError,
  NotFoundError,
  type RunDetail,
  SkeinError,
  type SkeinClient,
  type SubmitRequest,
} from '@skein/orchestrator';
import Fastify from 'fastify';

const RUN = '01JQ7Z0000000000000000ABCD';

function openApp(
  changes: { settings?: Partial<RawEventsSettings>; run?: Partial<RunDetail>; submitError?: Error } = {},
) {
  const submitted: SubmitRequest[] = [];
  const client = {
    async submit(request: SubmitRequest) {
      if (changes.submitError) throw changes.submitError;
      submitted.push(request);
      return { runId: RUN, isNew: true };
    },
    async run(id: string) {
      const config = submitted[0]?.config;
      if (id !== RUN || !config) throw new NotFoundError('none');
      return {
        id,
        job: 'reprocess_raw_events_job',
        status: 'STARTED',
        config,
        counts: { total: 2, materialized: 1, failed: 0, skipped: 0 },
        ...changes.run,
      };
    },
  } as unknown as SkeinClient;
  const app = Fastify();
  app.setErrorHandler((error, _request, reply) =>
    reply.code(error instanceof SkeinError ? error.httpStatus : 500).send({ message: (error as Error).message }),
  );
  const settings = { ...readRawEventsSettings({}), tenant_id: 't1', ...changes.settings };
  rawEventsRoutes.register(app, { env: {}, open: async <T>() => settings as T, client: async () => client });
  const post = (body: unknown, url = '/events/raw/reprocess', headers = {}) =>
    app.inject({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json', ...headers },
      payload: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return { app, submitted, post };
}

const SEED_BODY = {
  external_customer_id: 'customer123',
  event_name: 'api_request',
  start_date: '2024-01-01T00:00:00Z',
  end_date: '2024-01-31T23:59:59Z',
  batch_size: 1000,
};

test.each(['/events/raw/reprocess', '/api/v1/events/raw/reprocess'])('the body of the seed at %s', async (url) => {
  const { post, submitted } = openApp();
  const answer = await post(SEED_BODY, url, { 'x-environment-id': 'e1' });
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toEqual({
    message: 'Raw events reprocessing workflow started successfully',
    workflow_id: `wf_ReprocessRawEventsWorkflow_customer123-api_request_${RUN}`,
    run_id: RUN,
    task_queue: 'events',
  });
  expect(submitted).toEqual([
    {
      job: 'reprocess_raw_events_job',
      cause: 'api:events/raw/reprocess',
      config: { ...SEED_BODY, tenant_id: 't1', environment_id: 'e1' },
    },
  ]);
});

test('P13 faults in the words and envelopes of the original', async () => {
  const { post, submitted } = openApp();
  for (const [body, hint] of [
    ['{}', 'Invalid request format'],
    ['no json', 'Invalid request format'],
    [{ ...SEED_BODY, start_date: '2025-01-01T00:00:00Z' }, 'Start date must be before end date'],
  ] as const) {
    const answer = await post(body);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({
      success: false,
      error: { message: hint, details: {} },
      code: 'validation_error',
      message: hint,
      http_status_code: 400,
    });
  }
  expect(submitted).toEqual([]);
  const refused = await openApp({ submitError: new ConfigInvalidError('batch_size: must be at most 50000') }).post(
    SEED_BODY,
  );
  expect(refused.json()).toMatchObject({ success: false, message: 'batch_size: must be at most 50000' });
});

test('503 when disabled', async () => {
  expect((await openApp({ settings: { enabled: false } }).post(SEED_BODY)).statusCode).toBe(503);
});

test('progress, then the result of the seed', async () => {
  const show = async (run: Partial<RunDetail>) => {
    const { app, post } = openApp({ run });
    const { workflow_id: id } = (await post(SEED_BODY)).json<{ workflow_id: string }>();
    return (await app.inject({ url: `/events/raw/reprocess/${id}` })).json<Record<string, unknown>>();
  };
  expect(await show({ progress: { done: 5, total: 10, note: '5 events' } })).toMatchObject({
    status: 'STARTED',
    run_id: RUN,
    progress: { done: 5, total: 10 },
    result: null,
  });
  const counters = {
    total_events_found: 10000,
    total_events_published: 9500,
    total_events_dropped: 300,
    total_transformation_errors: 150,
    total_events_failed: 50,
    processed_batches: 10,
    completed_at: '2024-01-31T12:00:00Z',
  };
  const endedAt = new Date('2024-01-31T12:00:01.5Z');
  expect((await show({ status: 'SUCCESS', endedAt, result: { ...counters, days: 31 } })).result).toEqual(counters);
  expect((await show({ status: 'FAILURE', endedAt })).result).toEqual({
    total_events_found: 0,
    total_events_published: 0,
    total_events_dropped: 0,
    total_transformation_errors: 0,
    total_events_failed: 0,
    processed_batches: 0,
    completed_at: '2024-01-31T12:00:01Z',
  });
});

test('unknown workflows are not found', async () => {
  const { app, post } = openApp();
  await post(SEED_BODY);
  for (const id of [
    'x',
    `wf_ReprocessRawEventsWorkflow_other_${RUN}`,
    'wf_ReprocessRawEventsWorkflow_01JQ7Z00000000000000000000',
  ]) {
    expect((await app.inject({ url: `/events/raw/reprocess/${id}` })).statusCode).toBe(404);
  }
});
