/**
 * Restores one team's persons from the backups of a run: page by page, each a transaction that also backs up what it
 * replaces, so that a restore can be undone by another. Published after every commit.
 */

import type { Logger } from '@skein/orchestrator';
import type pg from 'pg';

import type { Message, Publisher } from '../../resources/kafka.ts';
import type { PersonsDb } from '../../resources/postgres.ts';
import { formatMetadataInstant } from '../apply.ts';
import { ensureBackupTable } from '../backup-table.ts';
import { formatMoment } from '../config.ts';
import { PERSON_TOPIC, personMessage } from '../person-message.ts';
import { PERSONS_BY_ID, type PersonRow } from '../postgres-sql.ts';
import { withTeamSession } from '../team-session.ts';
import { type PersonUpdate, updatePersons } from '../update-persons.ts';
import type { RestoreConfig } from './config.ts';
import { restoreOperations, restorePerson } from './rules.ts';
import { BACKUP_PAGE, type BackupEntry } from './sql.ts';

export interface RestoreWork {
  readonly teamId: number;
  /** Of this run, not of the one that is undone. */
  readonly runId: string;
  readonly config: RestoreConfig;
  readonly personsDb: PersonsDb;
  readonly publisher: Publisher;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly now: Date;
}

export interface RestoreCounts {
  processed: number;
  restored: number;
  skipped: number;
  wouldRestore: number;
}

const MAX_ATTEMPTS = 3;

export async function restoreTeam(work: RestoreWork): Promise<RestoreCounts> {
  const { teamId, config, personsDb, signal } = work;
  const counts: RestoreCounts = { processed: 0, restored: 0, skipped: 0, wouldRestore: 0 };
  await withTeamSession(
    personsDb.writer,
    signal,
    { teamId, applicationName: 'person_property_restore' },
    async (client) => {
      if (!config.dry_run) await ensureBackupTable(client);
      const persons = config.person_ids !== null && config.person_ids.length > 0 ? config.person_ids : null;
      let after = '0';
      for (;;) {
        signal.throwIfAborted();
        const { rows } = await client.query<BackupEntry>(BACKUP_PAGE, [
          config.job_id,
          [teamId],
          persons,
          after,
          config.backup_batch_size,
        ]);
        const last = rows.at(-1);
        if (!last) return;
        after = last.id;
        await restorePage(work, client, rows, counts);
        if (rows.length < config.backup_batch_size) return;
      }
    },
  );
  return counts;
}

async function restorePage(
  work: RestoreWork,
  client: pg.ClientBase,
  entries: readonly BackupEntry[],
  counts: RestoreCounts,
): Promise<void> {
  const dryRun = work.config.dry_run;
  if (!dryRun) await client.query('BEGIN');
  let messages: Message[] = [];
  let restored = 0;
  try {
    let open = entries;
    for (let attempt = 1; open.length > 0 && attempt <= MAX_ATTEMPTS; attempt++) {
      const { changes, missing } = await decide(work, client, open);
      if (dryRun) {
        counts.wouldRestore += changes.length;
        open = missing;
        break;
      }
      const target = { client, teamId: work.teamId, backupRunId: work.runId };
      const result = await updatePersons(
        target,
        changes.map((change) => change.update),
      );
      messages = messages.concat(
        changes.flatMap(({ update, message }) => (result.updated.has(update.id) ? [message] : [])),
      );
      restored += result.updated.size;
      const moved = changes.flatMap(({ update, entry }) => (result.updated.has(update.id) ? [] : [entry]));
      open = [...moved, ...missing];
    }
    for (const entry of open)
      work.log.warn(`Failed to restore person after retries: ${entry.id}`, { team_id: work.teamId });
    if (!dryRun) await client.query('COMMIT');
  } catch (error) {
    if (!dryRun) await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
  counts.processed += entries.length;
  counts.restored += restored;
  counts.skipped += entries.length - restored;
  if (messages.length > 0) await work.publisher.publish(PERSON_TOPIC, messages);
}

interface Change {
  readonly entry: BackupEntry;
  readonly update: PersonUpdate;
  readonly message: Message;
}

/** Entries that change nothing are in neither list. */
async function decide(
  work: RestoreWork,
  client: pg.ClientBase,
  entries: readonly BackupEntry[],
): Promise<{ changes: Change[]; missing: BackupEntry[] }> {
  const { rows } = await client.query<PersonRow>(PERSONS_BY_ID, [work.teamId, entries.map((entry) => entry.id)]);
  const byId = new Map(rows.map((row) => [row.id, row]));
  const at = formatMetadataInstant(formatMoment(work.now));
  const changes: Change[] = [];
  const missing: BackupEntry[] = [];
  for (const entry of entries) {
    const row = byId.get(entry.id);
    if (!row) {
      missing.push(entry);
      continue;
    }
    const restored = restorePerson(mapsOf(row), mapsOf(entry), entry.properties_after, work.config.conflict_resolution);
    if (!restored) continue;
    const version = BigInt(row.version);
    const pendingOperations = restoreOperations(row.properties, restored.properties, at);
    changes.push({
      entry,
      update: { id: row.id, version, versionAfter: version + 1n, pendingOperations, ...restored },
      message: personMessage({
        uuid: row.uuid,
        teamId: work.teamId,
        properties: restored.properties,
        isIdentified: row.is_identified,
        createdAt: row.created_at,
        version: version + 1n,
      }),
    });
  }
  return { changes, missing };
}

function mapsOf(row: {
  readonly properties: string;
  readonly last_updated_at: string | null;
  readonly last_operation: string | null;
}) {
  return { properties: row.properties, lastUpdatedAt: row.last_updated_at, lastOperation: row.last_operation };
}
