/**
 * The original's log lines about single events and pages: levels, messages and fields as its operators search for them.
 * A kind of line is written so many times a day of data and then summed up, because a run's log is kept whole.
 */

import type { Logger } from '@skein/orchestrator';

import type { Rejected } from './map-rows.ts';
import { timestampOf } from './messages.ts';
import type { Outgoing, PageWork } from './transform-page.ts';

/** The reason that the original gave for every drop; ours stands beside it. */
const DROPPED = 'failed_bento_validation';
/** Lines of one kind; a run keeps its last 20,000 lines. */
const MAX_LINES = 2_000;

export class EventLog {
  private readonly log: Logger;
  private readonly debug: boolean;
  private readonly written = new Map<string, number>();

  constructor(log: Logger, debug: boolean) {
    this.log = log;
    this.debug = debug;
  }

  rejected(batch: number, rejection: Rejected): void {
    if (!this.mayWrite(rejection.kind)) return;
    const fields = fieldsOf(batch, rejection);
    if (rejection.kind === 'dropped') {
      this.log.info('validation failed - event dropped', { ...fields, reason: DROPPED, drop_reason: rejection.reason });
    } else if (rejection.kind === 'error') {
      this.log.warn('transformation error - event skipped', { ...fields, error: rejection.reason });
    } else {
      this.log.error('failed to publish transformed event', {
        ...fields,
        transformed_event_id: rejection.eventId,
        error: rejection.reason,
      });
    }
  }

  published(batch: number, outgoing: Outgoing): void {
    if (!this.debug) return;
    this.log.debug('published transformed event', {
      ...fieldsOf(batch, outgoing),
      transformed_event_id: outgoing.eventId,
    });
  }

  pageDone(batch: number, { page }: PageWork, published: number, rejected: readonly Rejected[]): void {
    const count = (kind: Rejected['kind']) => rejected.filter((one) => one.kind === kind).length;
    this.log.info('batch processing complete', {
      batch,
      batch_size: page.size,
      batch_published: published,
      batch_dropped: count('dropped'),
      batch_transform_errors: count('error'),
      batch_publish_failed: count('failed'),
    });
  }

  private mayWrite(kind: Rejected['kind']): boolean {
    const lines = (this.written.get(kind) ?? 0) + 1;
    this.written.set(kind, lines);
    if (lines === MAX_LINES + 1) {
      this.log.warn('further events of this kind are counted but not logged; a dead letter topic has them all', {
        kind,
        logged: MAX_LINES,
      });
    }
    return lines <= MAX_LINES;
  }
}

function fieldsOf(batch: number, { row, position }: { readonly row: Outgoing['row']; readonly position: number }) {
  return {
    raw_event_id: row.id,
    external_customer_id: row.external_customer_id,
    event_name: row.event_name,
    timestamp: timestampOf(row),
    batch,
    batch_position: position,
  };
}
