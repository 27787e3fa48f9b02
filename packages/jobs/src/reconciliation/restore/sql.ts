/** Reading backups, page by page: $1 run, $2 teams or null, $3 persons or null. */

const CHOSEN = `job_id = $1 AND ($2::integer[] IS NULL OR team_id = ANY($2)) AND ($3::bigint[] IS NULL OR person_id = ANY($3))`;

export const TEAMS_WITH_BACKUPS = `SELECT DISTINCT team_id FROM posthog_person_reconciliation_backup WHERE ${CHOSEN} ORDER BY team_id`;

/** Also $4 the last person id of the page before, $5 rows. One team, so the order is (team, person). */
export const BACKUP_PAGE = `
SELECT person_id::text AS id, properties::text AS properties, properties_last_updated_at::text AS last_updated_at,
  properties_last_operation::text AS last_operation, properties_after::text AS properties_after
FROM posthog_person_reconciliation_backup
WHERE ${CHOSEN} AND person_id > $4::bigint
ORDER BY team_id, person_id
LIMIT $5`;

export interface BackupEntry {
  readonly id: string;
  readonly properties: string;
  readonly last_updated_at: string | null;
  readonly last_operation: string | null;
  readonly properties_after: string | null;
}
