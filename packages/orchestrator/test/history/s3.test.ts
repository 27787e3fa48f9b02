/** History and backups on S3. */

import { testS3, serviceIsAvailable } from '../../../../infra/embedded/test-services/index.ts';
import { createBackup } from '../../src/history/backup/backup.ts';
import { withBackup } from '../../src/history/backup/place.ts';
import { restoreBackup } from '../../src/history/backup/restore.ts';
import { verifyBackup } from '../../src/history/backup/verify.ts';
import { archiveRuns } from '../../src/history/archive.ts';
import { querySql } from '../../src/history/query.ts';
import { readHistorySettings } from '../../src/history/settings.ts';
import { days, openHistory } from './harness.ts';

(serviceIsAvailable('s3') && serviceIsAvailable('ducklake') ? describe : describe.skip)('on S3', () => {
  test('runs are archived and queried, a backup is written, verified and restored', async () => {
    const s3 = testS3();
    const bucket = await s3.createBucket('history');
    const env = {
      SKEIN_HISTORY_URL: `s3://${bucket}/skein`,
      SKEIN_DUCKDB_EXTENSIONS: process.env.SKEIN_DUCKDB_EXTENSIONS ?? '',
      AWS_ACCESS_KEY_ID: s3.key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.key.secretAccessKey,
      AWS_REGION: s3.region,
      AWS_ENDPOINT_URL: s3.url,
    };
    const h = await openHistory(() => ({ rows: 1 }), { env });
    try {
      await h.worker();
      await h.work(days(1, 5));
      expect(await archiveRuns(h.engine, { olderThanMs: 0, limit: 3 })).toEqual({ archived: 3, files: 1, busy: false });
      const ask = (sql: string) => querySql(h.engine, sql, { live: 100, maxRows: 100 });
      expect((await ask('SELECT live, count(*) AS n FROM runs GROUP BY live ORDER BY live')).rows).toEqual([
        { live: false, n: 3 },
        { live: true, n: 2 },
      ]);
      await expect(ask(`COPY (SELECT 1) TO 's3://${bucket}/x.csv'`)).rejects.toMatchObject({ code: 'SQL_INVALID' });
      await expect(ask(`SELECT * FROM read_blob('s3://${bucket}/other')`)).rejects.toMatchObject({
        code: 'SQL_INVALID',
      });
      const secret = JSON.stringify((await ask('SELECT * FROM duckdb_secrets()')).rows);
      expect(secret).not.toContain(s3.key.secretAccessKey);

      const place = `s3://${bucket}/backups/one.jsonl.gz`;
      await createBackup(h.engine, place, { maxPauseMs: 10_000 });
      const settings = readHistorySettings(h.engine.env);
      expect(await withBackup(settings, place, verifyBackup)).toMatchObject({ runs: 2, partitions: 5, problems: [] });
      await withBackup(settings, place, (file) => restoreBackup(h.engine, file, { force: true }));
      expect(await h.client.runs({ limit: 10 })).toHaveLength(2);
      const nope = withBackup(settings, `s3://${bucket}/nope`, verifyBackup);
      await expect(nope).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', system: 's3' });
    } finally {
      await h.close();
    }
  });
});
