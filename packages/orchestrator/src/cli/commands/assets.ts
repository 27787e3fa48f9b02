/** `skein assets`: what can be made, and how much of it is. */

import type { Command } from 'commander';

import type { Json } from '../../definitions/json.ts';
import { WHEN_NONE_IS_NAMED, group, leaf, overServer } from '../help.ts';
import type { AssetsPort, ShownAsset } from '../ports/assets.ts';
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
  assets.commands.forEach(overServer);
}

async function open(session: Session): Promise<AssetsPort> {
  const { openAssets } = await import('../ports/assets.ts');
  return openAssets(session);
}

async function list(session: Session): Promise<void> {
  const all = await (await open(session)).list();
  session.print({ assets: all.map(toJson) }, () =>
    table(
      ['ASSET', 'GROUP', 'MATERIALIZED', 'FAILED', 'SKIPPED', 'ACTIVE', 'ABOUT'],
      all.map(({ key, group, counts, description }) => [
        key,
        group,
        String(counts.materialized),
        String(counts.failed),
        String(counts.skipped),
        String(counts.queued + counts.running + counts.cancelling),
        shorten(description, 60),
      ]),
    ),
  );
}

async function show(session: Session, key: string): Promise<void> {
  const asset = await (await open(session)).read(key);
  session.print({ ...toJson(asset), config_schema: asset.config_schema as Json }, () => [
    ...pairs([
      ['asset', asset.key],
      ['about', asset.description],
      ['group', asset.group],
      ['partitions', asset.partitions.grammar],
      ['jobs', asset.jobs.join(', ')],
      ['pool', asset.pool],
      ['attempts', String(asset.max_attempts)],
      ['depends on', asset.depends_on.map((one) => one.asset).join(', ') || undefined],
      ['counts', JSON.stringify(asset.counts)],
    ]),
    '',
    'config',
    JSON.stringify(asset.config_schema, null, 2),
  ]);
}

function toJson(asset: ShownAsset): { readonly [field: string]: Json } {
  return {
    key: asset.key,
    description: asset.description,
    group: asset.group,
    partitions: { kind: asset.partitions.kind, grammar: asset.partitions.grammar },
    pool: asset.pool,
    resources: asset.resources,
    depends_on: asset.depends_on.map((one) => one.asset),
    counts: asset.counts,
  };
}
