/**
 * One batch of orphans: looked up on the reader, their ids sent to ClickHouse, and those that exist only there marked
 * as deleted. In a dry run the same decisions are made and nothing is sent. A batch may be repeated: what an earlier
 * attempt got through to ClickHouse is counted and not sent again, and what it sent without a trace yet is sent again
 * in the same words, which ClickHouse collapses.
 */

import type { TeamInClickHouse } from './clickhouse-reads.ts';
import type { Counters } from './counters.ts';
import {
  MAPPING_TOPIC,
  type Mapping,
  PERSON_TOPIC,
  type PersonState,
  mappingMessage,
  tombstoneMessage,
} from './messages.ts';
import { type LookUp, TeamInPostgres } from './postgres-reads.ts';
import { notYetThere } from './read-back.ts';
import type { ScanContext } from './scan.ts';

export interface BatchResult {
  readonly counters: Partial<Counters>;
  /** Mappings that Kafka acknowledged and that must be read back. */
  readonly sent: readonly Mapping[];
}

/** Lines about single persons in one dry run; a million of them help nobody, and the counters are whole. */
const DRY_RUN_LINES = 1_000;

export class BatchWork {
  private readonly context: ScanContext;
  private readonly team: TeamInClickHouse;
  private readonly reader: TeamInPostgres;
  private readonly writer: TeamInPostgres;
  private linesLeft = DRY_RUN_LINES;

  constructor(context: ScanContext, team: TeamInClickHouse, reader: TeamInPostgres) {
    this.context = context;
    this.team = team;
    this.reader = reader;
    const { config, log, resources, signal } = context;
    this.writer = new TeamInPostgres(resources.personsDb.writer, config.team_id, signal);
    if (config.delete_ch_only_orphans && resources.personsDb.writerIsReader) {
      log.warn('PERSONS_DB_WRITER_URL is not set: the check before deletion reads the reader, which may lag behind');
    }
  }

  async lookUp(personIds: readonly string[]): Promise<LookUp> {
    const categorize = this.context.config.categorize_orphans;
    const found = await this.context.phase('lookup_pg_distinct_ids', () =>
      this.reader.lookUp(personIds, { categorize }),
    );
    const { personsWithIds, notFound, trulyOrphaned, chOnly } = found;
    this.context.log.debug('looked up distinct ids', {
      person_count: personIds.length,
      found: personsWithIds,
      not_found: notFound.length,
      truly_orphaned: trulyOrphaned.length,
      ch_only: chOnly.length,
    });
    return found;
  }

  /** @param again an earlier attempt may have done any part of this batch */
  async run(personIds: readonly string[], found: LookUp, again: boolean): Promise<BatchResult> {
    const { config } = this.context;
    const { mappings, personsWithIds, notFound, trulyOrphaned, chOnly } = found;
    if (mappings.length > 0)
      await this.context.phase('sync_distinct_ids_to_ch', () => this.sync(mappings, personsWithIds, again));
    const deleted =
      config.delete_ch_only_orphans && chOnly.length > 0
        ? await this.context.phase('mark_ch_only_orphans_deleted', () => this.markDeleted(chOnly, again))
        : {};
    return {
      counters: {
        total_orphaned_persons: personIds.length,
        persons_with_pg_distinct_ids: personsWithIds,
        distinct_ids_synced: mappings.length,
        persons_without_pg_data: notFound.length,
        persons_truly_orphaned: trulyOrphaned.length,
        persons_ch_only: chOnly.length,
        ...deleted,
      },
      sent: config.dry_run ? [] : mappings,
    };
  }

  private async sync(mappings: readonly Mapping[], persons: number, again: boolean): Promise<void> {
    const { config, log, resources, signal } = this.context;
    if (config.dry_run) {
      log.info('dry run: would sync distinct ids', { persons, distinct_ids: mappings.length, dry_run: true });
      for (const [personId, versions] of versionsByPerson(mappings)) {
        this.line('dry run: would sync distinct ids of a person', {
          person_uuid: personId,
          distinct_id_versions: versions,
        });
      }
      return;
    }
    const missing = again ? await notYetThere(this.team, mappings) : mappings;
    await resources.kafka.publish(
      MAPPING_TOPIC,
      missing.map((mapping) => mappingMessage(config.team_id, mapping)),
      { signal },
    );
    this.context.count('skein_orphan_sync_distinct_ids_synced_total', missing.length);
    log.debug('synced distinct ids', { persons, distinct_ids: missing.length });
  }

  /**
   * The writer is asked last, right before the tombstones leave: a person that the reader does not show yet must never
   * be deleted. Their versions are read now, because ingestion may have raised them since they were found.
   */
  private async markDeleted(chOnly: readonly string[], again: boolean): Promise<Partial<Counters>> {
    const { config, log, resources, signal } = this.context;
    const states = await this.team.personStates(chOnly);
    const live = [...states.values()].filter((state) => !state.isDeleted);
    // Deleted since the batch was found: by the attempt that this one repeats, or by somebody else.
    const markedBefore = again ? states.size - live.length : 0;
    const existing = await this.writer.existing(live.map((state) => state.personId));
    const doomed = live.filter((state) => !existing.has(state.personId));
    if (existing.size > 0)
      log.warn('persons found on the writer are left alone, the reader lags behind', {
        count: existing.size,
        person_uuids: [...existing].slice(0, 100),
      });

    if (config.dry_run) {
      log.info('dry run: would mark persons as deleted', { count: doomed.length, dry_run: true });
      for (const { personId, version } of doomed)
        this.line('dry run: would mark a person as deleted', { person_uuid: personId, version });
    } else {
      await resources.kafka.publish(
        PERSON_TOPIC,
        doomed.map((state: PersonState) => tombstoneMessage(config.team_id, state, this.context.now())),
        { signal },
      );
      this.context.count('skein_orphan_sync_persons_marked_deleted_total', doomed.length);
      log.debug('marked persons as deleted', { count: doomed.length });
    }
    return { tombstones: markedBefore + doomed.length, persons_found_on_writer: existing.size };
  }

  private line(message: string, fields: Readonly<Record<string, unknown>>): void {
    this.linesLeft--;
    if (this.linesLeft >= 0) this.context.log.info(message, { ...fields, dry_run: true });
    if (this.linesLeft === -1)
      this.context.log.info('dry run: further persons are counted without a line of their own', { dry_run: true });
  }
}

function versionsByPerson(mappings: readonly Mapping[]): Map<string, Record<string, string>> {
  const persons = new Map<string, Record<string, string>>();
  for (const { personId, distinctId, version } of mappings) {
    // No prototype: a distinct id may be any text.
    const versions = persons.get(personId) ?? (Object.create(null) as Record<string, string>);
    versions[distinctId] = version;
    persons.set(personId, versions);
  }
  return persons;
}
