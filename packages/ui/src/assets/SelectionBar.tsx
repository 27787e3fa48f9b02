import { Button } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { Suspense, lazy, useState } from 'react';

import { type AssetDetail, planBackfill } from '../api/generated/client.ts';
import { tellProblem, useApi } from '../api/use-api.ts';
import { useAllowed } from '../app/access.ts';
import { Act } from '../parts/Act.tsx';
import { lookOf } from '../parts/status.ts';
import { exportCsv } from './export-csv.ts';
import { type Outcome, MAX_PINS, OUTCOMES } from './heat-map/selection.ts';
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
  /** Only partitions whose outcome is one of these; none: all of them. */
  readonly of: readonly Outcome[];
  readonly onOf: (of: readonly Outcome[]) => void;
  /** Keeps its rows at the top; undefined where that makes no sense. */
  readonly onPin: (() => void) | undefined;
  readonly onClear: () => void;
}

/** What a painted rectangle holds, exactly, and what can be done with it. */
export function SelectionBar({ asset, ids, from, to, of, onOf, onPin, onClear }: SelectionBarProps) {
  const [dialog, setDialog] = useState<'backfill' | 'mark'>();
  const [isExporting, setExporting] = useState(false);
  const navigate = useNavigate();
  const { allowed } = useAllowed('backfill');
  const job = asset.jobs[0];
  const named = ids.filter((id) => id !== '');
  const selection = { job: job ?? '', ...(named.length > 0 ? { ids: named } : {}), from, to };
  const plan = useApi(planBackfill, { body: selection }, { enabled: job !== undefined && allowed, keep: true });
  const by = plan.data?.by_status;
  const chosen = by && of.reduce((sum, outcome) => sum + by[outcome], 0);
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
          ? `${of.length > 0 ? `${(chosen ?? 0).toLocaleString('en')} of ` : ''}${plan.data.total.toLocaleString('en')} partitions: ${by.missing} missing, ${by.failed} failed, ${by.materialized} materialized, ${by.skipped} skipped${by.active > 0 ? `, ${by.active} active` : ''}`
          : plan.error
            ? String((plan.error as Error).message)
            : 'counting…'}
      </span>
      <span className="row" role="group" aria-label="Only what is">
        {OUTCOMES.map((outcome) => (
          <button
            key={outcome}
            type="button"
            className="chip"
            aria-pressed={of.includes(outcome)}
            onClick={() => onOf(of.includes(outcome) ? of.filter((one) => one !== outcome) : [...of, outcome])}
          >
            {lookOf(outcome).word}
          </button>
        ))}
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
      {onPin && (
        <Act because={named.length > MAX_PINS ? `At most ${MAX_PINS} rows are pinned.` : undefined} onAct={onPin}>
          Pin rows
        </Act>
      )}
      <Button
        variant="default"
        loading={isExporting}
        onClick={() => {
          setExporting(true);
          exportCsv(asset.key, named, from, to, of)
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
        {dialog === 'backfill' && (
          <BackfillDialog selection={selection} initial={of} onClose={() => setDialog(undefined)} />
        )}
      </Suspense>
      {dialog === 'mark' && (
        <MarkDialog asset={asset} ids={ids} from={from} to={to} of={of} onClose={() => setDialog(undefined)} />
      )}
    </div>
  );
}
