/**
 * One scan of one team: orphans are found page by page, and treated batch by batch, each batch looked up, repaired and,
 * where asked for, its ClickHouse-only persons marked as deleted. After every batch the scan can be left and taken up
 * again by another attempt without losing a count or doing a thing twice.
 */

import { type MaterializeContext, NotFoundError } from '@skein/orchestrator';

import type { ClickHouse } from '../resources/clickhouse.ts';
import type { Publisher } from '../resources/kafka.ts';
import type { PersonsDb } from '../resources/postgres.ts';
import type { TeamDay } from '../team-days.ts';
import { BatchWork } from './batch.ts';
import { type Orphan, TeamInClickHouse } from './clickhouse-reads.ts';
import type { BoundConfig } from './config.ts';
import { type Counters, add } from './counters.ts';
import type { Mapping } from './messages.ts';
import { type LookUp, TeamInPostgres } from './postgres-reads.ts';
import { readBack } from './read-back.ts';
import {
  MAX_PERSONS_IN_FLIGHT,
  type Position,
  type ResumePoint,
  START,
  loadResumePoint,
  storeResumePoint,
} from './resume-point.ts';

export interface Tuning {
  /** Orphans held in memory at a time, about 200 bytes each; more than that are found in several queries. */
  readonly pageRows: number;
  /** Mappings sent before they are read back together: the wait for Kafka's consumer is paid once for all of them. */
  readonly readBackRows: number;
  /** ClickHouse's consumer flushes every 7.5 s unless it is set otherwise; four times that is patience enough. */
  readonly readBackWaitMs: number;
}

export const TUNING: Tuning = { pageRows: 50_000, readBackRows: 20_000, readBackWaitMs: 30_000 };

export type ScanContext = MaterializeContext<
  TeamDay,
  BoundConfig,
  { readonly clickhouse: ClickHouse; readonly personsDb: PersonsDb; readonly kafka: Publisher }
>;

/** Beyond the batch in work; they wait for PostgreSQL while Kafka is waited for. Each takes a connection of the pool, which has ten. */
const LOOK_UPS_AHEAD = 4;

/** Names of ids in one warning; the count is always whole. */
const NAMED_IDS = 100;

export class TeamScan {
  private readonly context: ScanContext;
  private readonly tuning: Tuning;
  private readonly team: TeamInClickHouse;
  private readonly reader: TeamInPostgres;
  private readonly work: BatchWork;
  private point: ResumePoint;
  private unread: Mapping[] = [];
  private found = 0;

  constructor(context: ScanContext, tuning: Tuning) {
    this.context = context;
    this.tuning = tuning;
    this.team = new TeamInClickHouse(context.resources.clickhouse, context.config.team_id, context.signal);
    this.reader = new TeamInPostgres(context.resources.personsDb.reader, context.config.team_id, context.signal);
    this.work = new BatchWork(context, this.team, this.reader);
    this.point = loadResumePoint(context.checkpoint.load()) ?? START;
  }

  /** What has been done so far; right also after `run` threw. */
  get counters(): Counters {
    return this.point.counters;
  }

  async run(): Promise<Counters> {
    await this.resume();
    const { config } = this.context;
    for (;;) {
      const rows = Math.min(this.tuning.pageRows, (config.limit ?? Infinity) - this.counters.total_orphaned_persons);
      if (rows === 0) break;
      const page = await this.find(this.point.done, null, rows);
      this.found = this.counters.total_orphaned_persons + page.length;
      if (this.found === 0) await this.requireTeam();
      await this.treatPage(slicesOf(page, batchSize(config)));
      if (page.length < rows) break;
    }
    await this.readUnread();
    await this.save({ inFlight: null });
    return this.counters;
  }

  /** Finishes what a lost attempt had begun. */
  private async resume(): Promise<void> {
    const { inFlight, done, readBack: from, counters } = this.point;
    if (this.point === START) return;
    this.context.log.info('resuming the scan', { ...counters, persons_in_flight: inFlight?.personIds.length ?? 0 });
    if (!this.context.config.dry_run && done !== null && done.person_id !== from?.person_id)
      await this.recollectUnread(from, done);
    if (inFlight) await this.treat(inFlight.personIds, inFlight.end, await this.work.lookUp(inFlight.personIds), true);
  }

  /** Persons that were treated and are still orphans: their ids have not arrived, or never will. */
  private async recollectUnread(from: Position | null, upTo: Position): Promise<void> {
    for (let after = from; ;) {
      const page = await this.find(after, upTo, this.tuning.pageRows);
      for (const batch of slicesOf(page, MAX_PERSONS_IN_FLIGHT)) {
        const { mappings } = await this.reader.lookUp(idsOf(batch), { categorize: false });
        this.unread.push(...mappings);
      }
      if (page.length < this.tuning.pageRows) return;
      after = endOf(page);
    }
  }

  private async find(after: Position | null, upTo: Position | null, rows: number): Promise<Orphan[]> {
    const { config, log } = this.context;
    const page = await this.context.phase('find_orphaned_persons', () =>
      this.team.orphans(config.person_ids, { after, upTo, rows }),
    );
    log.info('found orphaned persons', {
      count: page.length,
      limit: config.limit,
      person_ids_count: config.person_ids?.length ?? null,
      continued: after !== null,
    });
    return page;
  }

  /** The next batches are looked up while the last one's messages travel. */
  private async treatPage(batches: readonly (readonly Orphan[])[]): Promise<void> {
    const ahead: Promise<LookUp>[] = [];
    for (const [i, batch] of batches.entries()) {
      for (const next of batches.slice(i + ahead.length, i + 1 + LOOK_UPS_AHEAD)) {
        const lookUp = this.work.lookUp(idsOf(next));
        // Where a batch before it fails nobody waits for this one; its error is not the one to report.
        lookUp.catch(() => {});
        ahead.push(lookUp);
      }
      const found = await (ahead.shift() as Promise<LookUp>);
      await this.treat(idsOf(batch), endOf(batch), found, false);
    }
  }

  private async treat(personIds: readonly string[], end: Position, found: LookUp, again: boolean): Promise<void> {
    await this.save({ inFlight: { personIds, end } });
    const { counters, sent } = await this.work.run(personIds, found, again);
    this.unread.push(...sent);
    this.point = { ...this.point, counters: add(this.counters, counters), done: end, inFlight: null };
    const { total_orphaned_persons: total } = this.counters;
    this.context.progress(total, Math.max(total, this.found), `${total} orphaned persons treated`);
    if (this.unread.length >= this.tuning.readBackRows) await this.readUnread();
  }

  /** Sees that what was sent has arrived in ClickHouse. */
  private async readUnread(): Promise<void> {
    const unread = this.unread;
    this.unread = [];
    if (unread.length > 0) {
      const { log, signal } = this.context;
      const { superseded, notArrived } = await this.context.phase('sync_distinct_ids_to_ch', () =>
        readBack(this.team, unread, this.tuning.readBackWaitMs, signal),
      );
      if (superseded.length > 0)
        log.warn('ClickHouse holds newer rows of these distinct ids, the repair did not win', named(superseded));
      if (notArrived.length > 0) {
        log.warn(
          'distinct ids have not arrived in ClickHouse yet; check that it consumes clickhouse_person_distinct_id',
          named(notArrived),
        );
      }
      this.point = {
        ...this.point,
        counters: add(this.counters, {
          distinct_ids_superseded: superseded.length,
          distinct_ids_not_arrived: notArrived.length,
        }),
      };
    }
    await this.save({ readBack: this.point.done });
  }

  private async save(change: Partial<ResumePoint>): Promise<void> {
    this.point = { ...this.point, ...change };
    await this.context.checkpoint.save(storeResumePoint(this.point));
  }

  /** A team without persons anywhere is a mistyped number more often than a clean team. */
  private async requireTeam(): Promise<void> {
    const { config } = this.context;
    if ((await this.team.hasPersons()) || (await this.reader.hasPersons())) return;
    throw new NotFoundError(
      `Team ${config.team_id} does not exist: neither ClickHouse nor the persons database has a person of it. Check team_id.`,
      {
        details: { team_id: config.team_id },
      },
    );
  }
}

function batchSize(config: BoundConfig): number {
  return Math.min(config.batch_size, MAX_PERSONS_IN_FLIGHT);
}

function slicesOf<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, i) => values.slice(i * size, (i + 1) * size));
}

function idsOf(batch: readonly Orphan[]): string[] {
  return batch.map(({ person_id: id }) => id);
}

/** @param batch not empty */
function endOf(batch: readonly Orphan[]): Position {
  const last = batch.at(-1) as Orphan;
  return { created_at: last.created_at, person_id: last.person_id };
}

function named(mappings: readonly Mapping[]): Record<string, unknown> {
  return { count: mappings.length, distinct_ids: mappings.slice(0, NAMED_IDS).map(({ distinctId }) => distinctId) };
}
