/** What the commands about assets ask of a Skein: of the ledger, or of a server over HTTP. */

import type { z } from 'zod';

import type { AssetDetail, AssetItem } from '../../api/routes/asset-schemas.ts';
import { lookUp } from '../../definitions/deployment.ts';
import type { Session } from '../session.ts';

export type ShownAsset = z.input<typeof AssetItem>;

export interface AssetsPort {
  list(): Promise<readonly ShownAsset[]>;
  /** @throws NotFoundError */
  read(key: string): Promise<z.input<typeof AssetDetail>>;
}

export async function openAssets(session: Session): Promise<AssetsPort> {
  const { AssetDetail, AssetItem, toAsset, toAssetDetail } = await import('../../api/routes/asset-schemas.ts');
  const { server } = session;
  if (server) {
    const { askAll } = await import('../remote/server.ts');
    return {
      list: () => askAll(server, '/assets', AssetItem),
      read: (key) => server.ask('GET', `/assets/${encodeURIComponent(key)}`, AssetDetail),
    };
  }
  const { assets } = session.deployment;
  return {
    async list() {
      const engine = await session.engine();
      const now = new Date();
      return Promise.all([...assets.values()].map((asset) => toAsset(engine, asset, now)));
    },
    async read(key) {
      const asset = lookUp('asset', assets, key);
      return toAssetDetail(await session.engine(), asset, new Date());
    },
  };
}
