/** `skein assets`: what can be made, and how much of it is. */

import type { Command } from 'commander';
import { z } from 'zod';

import type { Asset } from '../../definitions/asset.ts';
import { lookUp } from '../../definitions/deployment.ts';
import type { Json } from '../../definitions/json.ts';
import type { PartitionCounts } from '../../engine/reads/partitions.ts';
import { WHEN_NONE_IS_NAMED, group, leaf } from '../help.ts';
import type { RunAction, Session } from '../session.ts';
import { pairs, shorten, table } from '../terminal.ts';

export function registerAssets(program: Command, run: RunAction): void {
  const assets = group(program, 'assets', 'assets: list, show', ['skein assets', 'skein assets show my_asset --json']);
  leaf(
    assets,
    'list',
    'all assets with the counts of their partitions',
    ['skein assets list'],
    WHEN_NONE_IS_NAMED,
  ).action(() => run(list));
  leaf(assets, 'show <asset>', 'one asset with its config schema', ['skein assets show my_asset']).action(
    (key: string) => run((session) => show(session, key)),
  );
}

async function list(session: Session): Promise<void> {
  const { readCounts } = await import('../../engine/reads/partitions.ts');
  const engine = await session.engine();
  const rows = await Promise.all(
    [...session.deployment.assets.values()].map(async (asset) => ({ asset, counts: await readCounts(engine, asset) })),
  );
  session.print({ assets: rows.map(({ asset, counts }) => toJson(asset, counts)) }, () =>
    table(
      ['ASSET', 'GROUP', 'MATERIALIZED', 'FAILED', 'SKIPPED', 'ACTIVE', 'ABOUT'],
      rows.map(({ asset, counts }) => [
        asset.key,
        asset.group,
        String(counts.materialized),
        String(counts.failed),
        String(counts.skipped),
        String(counts.queued + counts.running + counts.cancelling),
        shorten(asset.description, 60),
      ]),
    ),
  );
}

async function show(session: Session, key: string): Promise<void> {
  const asset = lookUp('asset', session.deployment.assets, key);
  const { readCounts } = await import('../../engine/reads/partitions.ts');
  const counts = await readCounts(await session.engine(), asset);
  const schema = z.toJSONSchema(asset.config, { io: 'input', unrepresentable: 'any' }) as unknown as Json;
  session.print({ ...toJson(asset, counts), config_schema: schema }, () => [
    ...pairs([
      ['asset', asset.key],
      ['about', asset.description],
      ['group', asset.group],
      ['partitions', asset.partitions.grammar],
      ['jobs', jobsOf(session, asset).join(', ')],
      ['pool', asset.pool],
      ['attempts', String(asset.retries.attempts)],
      ['depends on', asset.dependsOn.map((one) => one.asset).join(', ') || undefined],
      ['counts', JSON.stringify(counts)],
    ]),
    '',
    'config',
    JSON.stringify(schema, null, 2),
  ]);
}

function jobsOf(session: Session, asset: Asset): string[] {
  return [...session.deployment.jobs.values()].filter((job) => job.assets.includes(asset)).map((job) => job.name);
}

function toJson(asset: Asset, counts: PartitionCounts): { readonly [field: string]: Json } {
  return {
    key: asset.key,
    description: asset.description,
    group: asset.group,
    partitions: { kind: asset.partitions.kind, grammar: asset.partitions.grammar },
    pool: asset.pool ?? null,
    resources: Object.values(asset.resources).map(({ name }) => name),
    depends_on: asset.dependsOn.map((one) => one.asset),
    counts: { ...counts },
  };
}
