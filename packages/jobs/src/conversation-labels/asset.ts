/**
 * `label_conversations`: one row for each eligible conversation, as the source says now. A run covers days of one or
 * more customers: planned in `plan.ts`, written day by day in `write-days.ts`, verified and closed in `settle.ts`.
 */

import { defineAsset, defineCheck, defineJob, exponential } from '@skein/orchestrator';

import { type CustomerDay, LabelConversationsConfig, bindToPartitions, partitionsOfConfig, scopeOf } from './config.ts';
import { STEP_ATTEMPTS, planTasks } from './plan.ts';
import { settleRun } from './settle.ts';
import { type LabelContext, customerDays, labelResources, workOf } from './step.ts';
import { asJson, summary } from './verification.ts';
import { verifyCustomer } from './verify-customer.ts';
import { runTask } from './write-days.ts';

/** The same eight points that end every run, over one day. */
export const labelsAgreeWithSource = defineCheck({
  name: 'labels_agree_with_source',
  description: 'Eight points over every row of the affected conversations, against what PostgreSQL says now.',
  severity: 'error',
  async run(context: LabelContext & { readonly partition: CustomerDay }) {
    const { id } = context.partition;
    const windows = scopeOf(context.config, [context.partition]).get(id) ?? [];
    const found = await verifyCustomer(workOf(context, context.signal), id, windows, context.now());
    return {
      passed: found.every((verification) => verification.passed),
      description: found.map(summary).join(' '),
      metadata: { verification: found.map(asJson) },
    };
  },
});

export const labelConversations = defineAsset({
  key: 'label_conversations',
  description: 'Labels of a customer’s conversations that ended on a day: one row each, as the source says now.',
  group: 'conversations',
  partitions: customerDays,
  config: LabelConversationsConfig,
  resources: labelResources,
  pool: 'label-conversations',
  retries: { attempts: STEP_ATTEMPTS, backoff: exponential('10s', { max: '2m' }) },
  timeout: '6h',
  partitionsOf: (config) => partitionsOfConfig(config, process.env),
  bindConfig: (config, partitions) => bindToPartitions(config, partitions, process.env),
  checks: [labelsAgreeWithSource],
  tasks: { plan: planTasks, run: runTask, settle: settleRun, maxConcurrent: () => 1 },
});

export const labelConversationsJob = defineJob({
  name: 'label_conversations_job',
  description: 'Labels or relabels a customer’s conversations: a day, a range, or from the watermark to now.',
  assets: [labelConversations],
});
