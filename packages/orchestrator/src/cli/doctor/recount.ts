/**
 * P10: partition counters equal a recount of the partition states. Every row of every asset is recounted by the script
 * that can also repair it, atomically, on a live system; then the asset's totals are compared with the sum of its rows.
 */

import type { Asset } from '../../definitions/asset.ts';
import type { Engine } from '../../engine/engine.ts';
import { listRows } from '../../engine/reads/partitions.ts';
import { type Finding, ok, problem } from './finding.ts';

interface Recount {
  readonly counted: Readonly<Record<string, number>>;
  readonly equal: boolean;
}

const BATCH = 500;
const FIELDS = ['o1', 'o2', 'o3', 'a1', 'a2', 'a3'] as const;

export async function checkCounters(engine: Engine, repair: boolean): Promise<Finding> {
  let rows = 0;
  const wrong: string[] = [];
  for (const asset of engine.deployment.assets.values()) {
    const { recounted, unequal } = await recountAsset(engine, asset, repair);
    rows += recounted;
    wrong.push(...unequal);
  }
  if (wrong.length === 0) return ok('counters', `${rows} rows recounted, all equal`);
  if (repair) await engine.redis.hincrby(engine.keys.stats, 'repairs', wrong.length);
  const shown = `${wrong.slice(0, 5).join(', ')}${wrong.length > 5 ? ', …' : ''}`;
  return repair
    ? ok('counters', `${rows} rows recounted, ${wrong.length} repaired: ${shown}`)
    : problem('counters', `${wrong.length} counters differ from a recount: ${shown}`, 'Run “skein doctor --repair”.');
}

async function recountAsset(
  engine: Engine,
  asset: Asset,
  repair: boolean,
): Promise<{ readonly recounted: number; readonly unequal: string[] }> {
  const unequal: string[] = [];
  const sums = new Map<string, number>(FIELDS.map((field) => [field, 0]));
  let recounted = 0;
  const before = await readTotals(engine, asset);
  for (let after: string | undefined; ;) {
    const rows = await listRows(engine, asset, { limit: BATCH, ...(after === undefined ? {} : { after }) });
    const replies = await Promise.all(
      rows.map(
        async (row) => JSON.parse(String(await engine.script('recount', asset.key, row, repair ? 1 : 0))) as Recount,
      ),
    );
    replies.forEach((reply, i) => {
      if (!reply.equal) unequal.push(`${asset.key}/${rows[i] === '' ? '(all)' : rows[i]}`);
      for (const field of FIELDS) sums.set(field, (sums.get(field) ?? 0) + (reply.counted[field] ?? 0));
    });
    recounted += rows.length;
    after = rows.at(-1);
    if (after === undefined) break;
  }
  // Rows change while others are counted; totals are judged only when nothing moved meanwhile.
  const totals = await readTotals(engine, asset);
  const repaired = repair && unequal.length > 0;
  const quiet = repaired || FIELDS.every((field) => before.get(field) === totals.get(field));
  const off = quiet ? FIELDS.filter((field) => (totals.get(field) ?? 0) !== sums.get(field)) : [];
  if (off.length > 0 && unequal.length === 0) {
    unequal.push(`${asset.key}/(total)`);
    if (repair) {
      for (const field of off) {
        const difference = (sums.get(field) ?? 0) - (totals.get(field) ?? 0);
        await engine.redis.hincrby(engine.keys.counts(asset.key), field, difference);
      }
    }
  }
  return { recounted, unequal };
}

async function readTotals(engine: Engine, asset: Asset): Promise<Map<string, number>> {
  const fields = await engine.redis.hgetall(engine.keys.counts(asset.key));
  return new Map(FIELDS.map((field) => [field, Number(fields[field] ?? 0)]));
}
