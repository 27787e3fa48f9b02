/**
 * `skein ducklings check`: tries every permission that a backfill needs, in its order, and says which one fails and why.
 * What it writes it removes again.
 */

import { type Credentials } from '../resources/sts.ts';
import type { ClickHouse } from '../resources/clickhouse.ts';
import type { Duckling } from '../resources/duckling-catalog.ts';
import type { Ducklings } from '../resources/ducklake-ducklings.ts';

export interface PermissionStep {
  readonly step:
    'assume role' | 'list' | 'put' | 'get' | 'delete' | 'clickhouse put' | 'catalog connect' | 'lake attach';
  /** `skipped`: there is nothing to try, or an earlier step that it needs failed. */
  readonly outcome: 'ok' | 'failed' | 'skipped';
  readonly detail: string;
}

const PROBE = 'backfill/.skein-check/';
const PROBE_TEXT = 'Skein was here to see whether it may write.';

export async function checkPermissions(
  duckling: Duckling,
  { ducklings, clickhouse }: { readonly ducklings: Ducklings; readonly clickhouse: ClickHouse | undefined },
  signal: AbortSignal,
): Promise<PermissionStep[]> {
  const steps: PermissionStep[] = [];
  const attempt = async (
    step: PermissionStep['step'],
    work: () => Promise<string>,
    needs: boolean = true,
  ): Promise<boolean> => {
    if (!needs) {
      steps.push({ step, outcome: 'skipped', detail: 'not tried: an earlier step failed' });
      return false;
    }
    try {
      steps.push({ step, outcome: 'ok', detail: await work() });
      return true;
    } catch (error) {
      signal.throwIfAborted();
      steps.push({ step, outcome: 'failed', detail: error instanceof Error ? error.message : String(error) });
      return false;
    }
  };
  const { bucket: name, bucket_region: region } = duckling;
  const bucket = ducklings.bucket(duckling, signal);
  const key = (what: string) => `${PROBE}${Date.now()}-${process.pid}-${what}`;
  const probe = key('skein');

  try {
    const identity = await assumeRole(duckling, ducklings, steps, attempt);
    await attempt('list', async () => `s3 or directory: ${name}, ${await countFirst(bucket.list(PROBE))}`, identity);
    const put = await attempt(
      'put',
      async () => (await bucket.put(probe, PROBE_TEXT), ducklings.store.url(name, probe)),
      identity,
    );
    await attempt(
      'get',
      async () =>
        (await bucket.get(probe)) === PROBE_TEXT ? 'what was written' : fail('the object read back differs'),
      put,
    );
    await attempt('delete', async () => (await bucket.delete(probe), 'the probe is gone'), put);
    if (clickhouse) {
      const target = ducklings.store.forClickHouse({ bucket: name, region, key: `${key('clickhouse')}.parquet` });
      await attempt('clickhouse put', async () => {
        await clickhouse.command(`INSERT INTO FUNCTION ${target.sql} SELECT 1 AS probe`, {
          params: target.params,
          signal,
        });
        return 'ClickHouse may write';
      });
      await removeProbes(bucket);
    }
    const connected = await attempt('catalog connect', () =>
      ducklings.lake(duckling).withCatalog(signal, async (catalog) => {
        const [row] = await catalog.rows<{ who: string; where: string }>(
          'SELECT current_user AS who, current_database() AS where',
        );
        return `${row?.who} in ${row?.where}`;
      }),
    );
    await attempt(
      'lake attach',
      () =>
        ducklings.lake(duckling).read(signal, async (db) => {
          const [row] = await db.rows<{ tables: string }>(
            "SELECT count(*) AS tables FROM duckdb_tables() WHERE database_name = 'lake'",
          );
          return `${row?.tables ?? 0} tables`;
        }),
      connected,
    );
  } finally {
    bucket.close();
  }
  return steps;
}

type Attempt = (step: PermissionStep['step'], work: () => Promise<string>, needs?: boolean) => Promise<boolean>;

async function assumeRole(
  duckling: Duckling,
  ducklings: Ducklings,
  steps: PermissionStep[],
  attempt: Attempt,
): Promise<boolean> {
  if (ducklings.store.kind === 'file') {
    steps.push({ step: 'assume role', outcome: 'skipped', detail: 'objects lie in a directory' });
    return true;
  }
  if (duckling.cross_account_role_arn === null) {
    steps.push({
      step: 'assume role',
      outcome: 'skipped',
      detail: 'the duckling has no role; Skein’s own keys are used',
    });
    return true;
  }
  return attempt('assume role', async () =>
    describeCredentials(duckling.cross_account_role_arn ?? '', await ducklings.credentials(duckling)),
  );
}

function describeCredentials(role: string, credentials: Credentials | undefined): string {
  return `${role}, until ${credentials?.expiresAt?.toISOString() ?? 'it is revoked'}`;
}

async function countFirst(objects: AsyncIterable<unknown>): Promise<string> {
  for await (const _ of objects) return 'with probes of earlier checks';
  return 'may be listed';
}

/** What ClickHouse wrote lies where Skein may delete it, or its own leftovers stay behind and harm nobody. */
async function removeProbes(bucket: ReturnType<Ducklings['bucket']>): Promise<void> {
  try {
    for await (const { key } of bucket.list(PROBE)) await bucket.delete(key);
  } catch {
    // The list or delete step has said so already.
  }
}

function fail(what: string): never {
  throw new Error(what);
}
