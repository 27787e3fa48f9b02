import { type AssetDetail, searchPartitions } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { Card } from '../parts/Page.tsx';
import { Empty, Loading, ProblemNotice } from '../parts/States.tsx';
import { PARTITION_STATUSES } from '../parts/status.ts';
import { CellCard } from './CellCard.tsx';
import { parseAt } from './heat-map/selection.ts';

/** `at` in the address is a column's label and a row; the server says which key that is. */
export function CellAt({ asset, at, onClose }: { asset: AssetDetail; at: string; onClose: () => void }) {
  const { label, row } = parseAt(at);
  const found = useApi(searchPartitions, {
    key: asset.key,
    ...(row === '' ? {} : { row }),
    from: label,
    to: label,
    status: PARTITION_STATUSES,
    limit: 1,
  });
  if (found.error) return <ProblemNotice error={found.error} />;
  if (found.isPending) return <Loading />;
  const key = found.data?.items[0]?.key;
  if (key !== undefined) return <CellCard asset={asset} partition={key} onClose={onClose} />;
  return (
    <Card title="Partition">
      <Empty title="There is no partition here." />
    </Card>
  );
}
