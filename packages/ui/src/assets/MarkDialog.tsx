import { SegmentedControl } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { type AssetDetail, forgetPartitions, markPartitions, searchPartitions } from '../api/generated/client.ts';
import { useAllowed } from '../app/access.ts';
import { notify } from '../app/notify.ts';
import { Confirm } from '../parts/Confirm.tsx';
import { Notice } from '../parts/States.tsx';
import { type Outcome, OUTCOMES } from './heat-map/selection.ts';

export interface MarkDialogProps {
  readonly asset: AssetDetail;
  readonly ids: readonly string[];
  readonly from: string;
  readonly to: string;
  /** Only what is one of these; none: everything. */
  readonly of: readonly Outcome[];
  readonly onClose: () => void;
}

type Mark = 'materialized' | 'skipped' | 'missing';
/** The server takes as many at a time. */
const MOST_KEYS = 10_000;

/** A person's say about partitions: they are made, they need not be, or forget what is known. */
export function MarkDialog({ asset, ids, from, to, of, onClose }: MarkDialogProps) {
  const cache = useQueryClient();
  const forget = useAllowed('forget_partitions');
  const [as, setAs] = useState<Mark>('materialized');
  const act = useMutation({
    mutationFn: async (reason: string) => {
      const partitions = await keysOf({ asset, ids, from, to, of });
      const key = asset.key;
      return as === 'missing'
        ? forgetPartitions({ key, body: { partitions, reason } })
        : markPartitions({ key, body: { as, partitions, reason } });
    },
    onSuccess: ({ changed, busy }) => {
      notify(
        'good',
        `${changed} partitions are marked as ${as}${busy > 0 ? `; ${busy} that are queued or running were left alone` : ''}.`,
      );
      void cache.invalidateQueries();
      onClose();
    },
  });
  return (
    <Confirm
      title="Mark partitions"
      verb={`Mark as ${as}`}
      dangerous={as === 'missing'}
      reason="required"
      busy={act.isPending}
      error={act.error}
      onClose={onClose}
      onConfirm={(reason) => act.mutate(reason)}
    >
      <SegmentedControl
        aria-label="Mark as"
        value={as}
        onChange={(value) => setAs(value as Mark)}
        data={[
          { value: 'materialized', label: 'materialized' },
          { value: 'skipped', label: 'skipped' },
          { value: 'missing', label: 'missing (forget)', disabled: !forget.allowed },
        ]}
      />
      {!forget.allowed && <p className="dim small">Forgetting: {forget.reason}</p>}
      <p>
        {ids.length} rows, {from} to {to}
        {of.length > 0 && `, of them only what is ${of.join(' or ')}`}. The data itself is not touched; only what Skein
        believes of it changes.
      </p>
      {as === 'missing' && (
        <Notice tone="warn">Sensors and backfills will take these partitions for never made.</Notice>
      )}
    </Confirm>
  );
}

/** The keys of a rectangle, as the server names them. */
async function keysOf({
  asset,
  ids,
  from,
  to,
  of,
}: Pick<MarkDialogProps, 'asset' | 'ids' | 'from' | 'to' | 'of'>): Promise<string[]> {
  const status = of.length > 0 ? of : OUTCOMES;
  const keys: string[] = [];
  for (const row of ids) {
    let after: string | undefined;
    do {
      const more = { ...(row === '' ? {} : { row }), ...(after === undefined ? {} : { after }) };
      const page = await searchPartitions({ key: asset.key, from, to, status, limit: 500, ...more });
      keys.push(...page.items.map((one) => one.key));
      if (keys.length > MOST_KEYS)
        throw new RangeError(`Mark at most ${MOST_KEYS.toLocaleString('en')} partitions at a time.`);
      after = page.next ?? undefined;
    } while (after !== undefined);
  }
  return keys;
}
