/**
 * The original's HTTP request: which bodies it takes, in which order it finds fault, and with which words. Pure. Both
 * spellings of its two revisions are taken, and fields that neither knows are refused, so that a misspelt filter never
 * silently means the whole tenant.
 */

import type { JsonObject } from '@skein/orchestrator';
import { z } from 'zod';

import { DEFAULT_BATCH_SIZE } from './config.ts';
import { parseRfc3339 } from './rfc3339.ts';

/** What the caller and the configuration say of whose events are meant, when the body does not. */
export interface Caller {
  readonly tenantId: string | undefined;
  readonly environmentId: string | undefined;
}

export type ParsedRequest =
  | { readonly config: JsonObject }
  /** `hint` is for people; `internal` says more of what was wrong. */
  | { readonly hint: string; readonly internal: string };

const Body = z.strictObject({
  external_customer_id: z.string().nullish(),
  external_customer_ids: z.array(z.string()).nullish(),
  event_name: z.string().nullish(),
  event_names: z.array(z.string()).nullish(),
  start_date: z.string().min(1, 'is required'),
  end_date: z.string().nullish(),
  batch_size: z.int().nullish(),
  // What the original does not have.
  tenant_id: z.string().nullish(),
  environment_id: z.string().nullish(),
  profile: z.string().nullish(),
  dry_run: z.boolean().nullish(),
  sample_percent: z.number().nullish(),
  dead_letter_topic: z.string().nullish(),
  only_missing: z.boolean().nullish(),
});

const FORMAT = 'must be in RFC3339 format (e.g., 2006-01-02T15:04:05Z07:00)';

export function parseRequest(text: string, caller: Caller, now: Date): ParsedRequest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return fault('Invalid request format', 'the body is not JSON');
  }
  const parsed = Body.safeParse(json);
  if (!parsed.success) return fault('Invalid request format', describe(parsed.error));
  const body = parsed.data;

  const start = parseRfc3339(body.start_date);
  if (start === undefined) return fault(`Start date ${FORMAT}`, 'start_date is not RFC 3339');
  const endDate = body.end_date || now.toISOString().replace(/\.\d+Z$/, 'Z');
  const end = parseRfc3339(endDate);
  if (end === undefined) return fault(`End date ${FORMAT}`, 'end_date is not RFC 3339');
  if (start.ms > end.ms) return fault('Start date must be before end date', 'start_date lies after end_date');

  const tenantId = body.tenant_id || caller.tenantId;
  if (!tenantId) {
    return fault(
      'tenant_id is required',
      'send the header X-Tenant-ID, or the field tenant_id, or configure billing.tenant_id',
    );
  }
  const batchSize = body.batch_size ?? 0;
  return {
    config: withoutEmpty({
      ...body,
      end_date: endDate,
      batch_size: batchSize > 0 ? batchSize : DEFAULT_BATCH_SIZE,
      tenant_id: tenantId,
      environment_id: body.environment_id || caller.environmentId,
    }),
  };
}

/** The original's name of a workflow: first customer, and first event name where there is a customer; then the run. */
export function workflowId(config: JsonObject, runId: string): string {
  const customer = first(config.external_customer_id, config.external_customer_ids);
  const name = first(config.event_name, config.event_names);
  const context = customer === '' ? [] : [name === '' ? customer : `${customer}-${name}`];
  return ['wf_ReprocessRawEventsWorkflow', ...context, runId].join('_');
}

/** The run that a workflow id ends with; a run's own id stands for its workflow. undefined when it cannot be one. */
export function runIdOf(workflow: string): string | undefined {
  return /^(?:wf_ReprocessRawEventsWorkflow_(?:.*_)?)?([0-9A-HJKMNP-TV-Z]{26})$/s.exec(workflow)?.[1];
}

function first(one: unknown, many: unknown): string {
  if (typeof one === 'string' && one !== '') return one;
  const [head] = Array.isArray(many) ? (many as unknown[]) : [];
  return typeof head === 'string' ? head : '';
}

function fault(hint: string, internal: string): ParsedRequest {
  return { hint, internal };
}

function describe(error: z.ZodError): string {
  return error.issues
    .map((issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown field ${issue.keys.join(', ')}`
        : `${issue.path.join('.') || 'body'}: ${issue.message}`,
    )
    .join('; ');
}

function withoutEmpty(fields: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null && value !== ''),
  ) as JsonObject;
}
