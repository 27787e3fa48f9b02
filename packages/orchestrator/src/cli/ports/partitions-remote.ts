/** Partitions of a Skein over HTTP. */

import { Counts } from '../../api/routes/asset-schemas.ts';
import { Marked } from '../../api/routes/marks.ts';
import { PartitionItem } from '../../api/routes/partitions.ts';
import { pageOf } from '../../api/schema.ts';
import type { RemoteServer } from '../remote/server.ts';
import { takePages } from './partition-pages.ts';
import type { PartitionsPort } from './partitions.ts';

export function remotePartitions(server: RemoteServer): PartitionsPort {
  const path = (asset: string, rest: string) => `/assets/${encodeURIComponent(asset)}/partitions/${rest}`;
  return {
    list: (asset, { ids, statuses, from, to }, limit) =>
      takePages(limit, (after, limit) => {
        const query = { id: ids, status: statuses, from, to, after, limit };
        return server.ask('GET', path(asset, 'search'), pageOf(PartitionItem), { query });
      }),
    counts: (asset, ids) => server.ask('GET', path(asset, 'counts'), Counts, { query: { id: ids } }),
    mark: (asset, { partitions, ids }, as, { reason, preview }) =>
      as === 'missing'
        ? server.ask('POST', path(asset, 'forget'), Marked, { body: { partitions, ids, reason, preview } })
        : server.ask('POST', path(asset, 'mark'), Marked, { body: { as, partitions, ids, reason, preview } }),
  };
}
