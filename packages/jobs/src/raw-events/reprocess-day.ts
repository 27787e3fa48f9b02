/**
 * One day of one tenant: read a page, transform it, send it, save where it ended. While a page is being sent the next
 * two are transformed, by a thread, and the one after them read; never are two pages being sent, so the order within a customer
 * is that of reading, and what a lost attempt may have sent twice is one page.
 */

import type { Opened, StepContext } from '@skein/orchestrator';

import type { clickhouse } from '../resources/clickhouse.ts';
import { type kafka, publishEach } from '../resources/kafka.ts';
import type { RawEventsConfig, TenantDay } from './config.ts';
import { NOTHING, type Tally, addTallies } from './counters.ts';
import { EventLog } from './event-log.ts';
import type { Rejected } from './map-rows.ts';
import { deadLetter } from './messages.ts';
import { ask, readPages } from './read-pages.ts';
import { type ResumePoint, loadResumePoint, saveResumePoint } from './resume-point.ts';
import type { rawEventsMapper } from './row-mapper.ts';
import type { rawEventsSettings } from './settings.ts';
import { type Scope, estimateSql } from './sql.ts';
import { type Outgoing, type PageWork, messagesOf, outgoingAt, transformPages } from './transform-page.ts';
import type { DropReason } from './transform.ts';

interface Resources {
  readonly clickhouse: typeof clickhouse;
  readonly kafka: typeof kafka;
  readonly mapper: typeof rawEventsMapper;
  readonly settings: typeof rawEventsSettings;
}

export type RawEventsContext = StepContext<TenantDay, RawEventsConfig, Opened<Resources & Record<string, never>>>;

export class DayRun {
  private readonly context: RawEventsContext;
  private readonly scope: Scope;
  private readonly rowsPerQuery: number;
  private readonly log: EventLog;
  private point: ResumePoint;
  private total = 0;

  constructor(context: RawEventsContext, scope: Scope, rowsPerQuery: number) {
    this.context = context;
    this.scope = scope;
    this.rowsPerQuery = rowsPerQuery;
    this.log = new EventLog(context.log, scope.settings.debug);
    this.point = loadResumePoint(context.checkpoint);
  }

  async run(): Promise<Tally> {
    const { context, scope, rowsPerQuery } = this;
    const { clickhouse, kafka, mapper } = context.resources;
    const reader = { clickhouse, scope, rowsPerQuery, signal: context.signal };
    const [estimate] = await ask<{ rows: string }>(reader, estimateSql(scope));
    this.total = Number(estimate?.rows ?? 0);
    const { cursor, tally } = this.point;
    if (cursor !== null) context.log.info('resuming after the last page', { ...tally.counters });

    let sending = Promise.resolve();
    try {
      for await (const work of transformPages(readPages(reader, cursor ?? undefined), scope.config, mapper)) {
        await sending;
        context.signal.throwIfAborted();
        sending = this.send(work, kafka);
        // Its failure is met at the next turn; until then nobody else would.
        sending.catch(() => {});
      }
      await sending;
    } finally {
      // Reading may have failed while a page was being sent: let it arrive and be remembered.
      await sending.catch(() => {});
    }
    return this.point.tally;
  }

  private async send(work: PageWork, kafka: RawEventsContext['resources']['kafka']): Promise<void> {
    const { context, scope } = this;
    const batch = this.point.tally.counters.processed_batches;
    const failed = scope.config.dry_run ? [] : await this.publish(work, kafka);
    const rejected = [...work.rejected, ...failed].sort((a, b) => a.position - b.position);
    if (!scope.config.dry_run) await this.sendDeadLetters(work, rejected, kafka);

    for (const one of rejected) this.log.rejected(batch, one);
    if (scope.settings.debug && !scope.config.dry_run) {
      const missed = new Set(failed.map(({ position }) => position));
      for (const one of outgoingAt(work, [...work.positions.keys()])) {
        if (!missed.has(one.position)) this.log.published(batch, one);
      }
    }
    const published = work.positions.length - failed.length;
    this.log.pageDone(batch, work, published, rejected);
    const tally = tallyOf(work, published, rejected);
    this.point = { version: 1, cursor: work.page.end, tally: addTallies(this.point.tally, tally) };
    context.resources.mapper.reuse(work.texts);
    await saveResumePoint(context.checkpoint, this.point);
    const { total_events_found: done } = this.point.tally.counters;
    context.progress(done, Math.max(done, this.total), 'events read and sent');
    countMetrics(context, tally);
  }

  private async publish(work: PageWork, kafka: RawEventsContext['resources']['kafka']): Promise<Rejected[]> {
    const { settings } = this.scope;
    const refused = await publishEach(kafka, settings.output_topic, messagesOf(work), {
      signal: this.context.signal,
      maxMessageBytes: settings.max_message_bytes,
    });
    const sources = outgoingAt(
      work,
      refused.map(({ index }) => index),
    );
    return refused.map(({ reason }, i) => ({ ...(sources[i] as Outgoing), kind: 'failed', reason }));
  }

  private async sendDeadLetters(
    work: PageWork,
    rejected: readonly Rejected[],
    kafka: RawEventsContext['resources']['kafka'],
  ): Promise<void> {
    const { config, settings } = this.scope;
    const topic = config.dead_letter_topic ?? settings.dead_letter_topic;
    if (topic === null || rejected.length === 0) return;
    const letters = rejected.map((one) => deadLetter(config.tenant_id, work.page.environment, one.row, one));
    const refused = await publishEach(kafka, topic, letters, { signal: this.context.signal });
    for (const { index, reason } of refused) {
      this.context.log.error('failed to publish dead letter', { raw_event_id: rejected[index]?.row.id, error: reason });
    }
  }
}

function tallyOf(work: PageWork, published: number, rejected: readonly Rejected[]): Tally {
  const dropReasons: Partial<Record<DropReason, number>> = {};
  const dropExamples: Partial<Record<DropReason, string[]>> = {};
  const counts = { dropped: 0, error: 0, failed: 0 };
  for (const { kind, reason, row } of rejected) {
    counts[kind]++;
    if (kind !== 'dropped') continue;
    const drop = reason as DropReason;
    dropReasons[drop] = (dropReasons[drop] ?? 0) + 1;
    const examples = (dropExamples[drop] ??= []);
    // Ids come from outside: a checkpoint must stay small.
    if (examples.length < 5) examples.push(row.id.slice(0, 200));
  }
  const counters = {
    total_events_found: work.page.size,
    total_events_published: published,
    total_events_dropped: counts.dropped,
    total_transformation_errors: counts.error,
    total_events_failed: counts.failed,
    processed_batches: 1,
  };
  return addTallies(NOTHING, { counters, dropReasons, dropExamples });
}

/** The original's workflow was to end within an hour. */
const OVERDUE_MS = 3_600_000;
const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A run's id begins with the milliseconds of its making. */
export function askedForAtMs(ulid: string): number {
  return [...ulid.slice(0, 10)].reduce((ms, digit) => ms * 32 + Math.max(0, CROCKFORD.indexOf(digit)), 0);
}

function countMetrics({ count, run, now }: RawEventsContext, { counters, dropReasons }: Tally): void {
  count('skein_raw_events_found_total', counters.total_events_found);
  count('skein_raw_events_published_total', counters.total_events_published);
  count('skein_raw_events_transformation_errors_total', counters.total_transformation_errors);
  count('skein_raw_events_failed_total', counters.total_events_failed);
  const isOverdue = now().getTime() - askedForAtMs(run.id) > OVERDUE_MS;
  count('skein_raw_events_overdue_batches_total', isOverdue ? counters.processed_batches : 0);
  for (const [reason, drops] of Object.entries(dropReasons)) count('skein_raw_events_dropped_total', drops, { reason });
}
