import { Button } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { Suspense, lazy, useState } from 'react';

import { type AssetDetail, planBackfill } from '../api/generated/client.ts';
import { tellProblem, useApi } from '../api/use-api.ts';
import { useAllowed } from '../app/access.ts';
import { Act } from '../parts/Act.tsx';
import { exportCsv } from './export-csv.ts';
import { MarkDialog } from './MarkDialog.tsx';
import './heat-map/heat-map.css';

const BackfillDialog = lazy(() =>
  import('../backfills/BackfillDialog.tsx').then((module) => ({ default: module.BackfillDialog })),
);

export interface SelectionBarProps {
  readonly asset: AssetDetail;
  readonly ids: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly onClear: () => void;
}

/** What a painted rectangle holds, exactly, and what can be done with it. */
export function SelectionBar({ asset, ids, from, to, onClear }: SelectionBarProps) {
  const [dialog, setDialog] = useState<'backfill' | 'mark'>();
  const [isExporting, setExporting] = useState(false);
  const navigate = useNavigate();
  const { allowed } = useAllowed('backfill');
  const job = asset.jobs[0];
  const named = ids.filter((id) => id !== '');
  const selection = { job: job ?? '', ...(named.length > 0 ? { ids: named } : {}), from, to };
  const plan = useApi(planBackfill, { body: selection }, { enabled: job !== undefined && allowed, keep: true });
  const by = plan.data?.by_status;
  const first = plan.data?.first ?? '';
  const because = job === undefined ? 'No job makes this asset.' : undefined;
  return (
    <div className="selection-bar" role="region" aria-label="Selection">
      <strong className="num">
        {named.length > 0 && `${named.length} ${named.length === 1 ? 'row' : 'rows'} × `}
        {from === to ? from : `${from} … ${to}`}
      </strong>
      <span className="small dim num" role="status">
        {by && plan.data
          ? `${plan.data.total.toLocaleString('en')} partitions: ${by.missing} missing, ${by.failed} failed, ${by.materialized} materialized, ${by.skipped} skipped${by.active > 0 ? `, ${by.active} active` : ''}`
          : plan.error
            ? String((plan.error as Error).message)
            : 'counting…'}
      </span>
      <span className="grow" />
      <Act permission="backfill" variant="filled" because={because} onAct={() => setDialog('backfill')}>
        Backfill…
      </Act>
      {plan.data?.total === 1 && first !== '' && (
        <Button
          variant="default"
          onClick={() => void navigate({ to: '/launch', search: { asset: asset.key, partition: first } })}
        >
          Launch…
        </Button>
      )}
      <Act permission="mark_partitions" onAct={() => setDialog('mark')}>
        Mark…
      </Act>
      <Button
        variant="default"
        loading={isExporting}
        onClick={() => {
          setExporting(true);
          exportCsv(asset.key, named, from, to)
            .catch(tellProblem)
            .finally(() => setExporting(false));
        }}
      >
        Export CSV
      </Button>
      <Button variant="subtle" color="gray" onClick={onClear}>
        Clear
      </Button>
      <Suspense fallback={null}>
        {dialog === 'backfill' && <BackfillDialog selection={selection} onClose={() => setDialog(undefined)} />}
      </Suspense>
      {dialog === 'mark' && (
        <MarkDialog asset={asset} ids={ids} from={from} to={to} onClose={() => setDialog(undefined)} />
      )}
    </div>
  );
}
