import { SegmentedControl } from '@mantine/core';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import {
  type AssetDetail,
  type Partition,
  forgetPartitions,
  markPartitions,
  searchPartitions,
} from '../api/generated/client.ts';
import { useAllowed } from '../app/access.ts';
import { notify } from '../app/notify.ts';
import { AndMore } from '../parts/AndMore.tsx';
import { Confirm } from '../parts/Confirm.tsx';
import { KeyText } from '../parts/KeyText.tsx';
import { Notice, ProblemNotice } from '../parts/States.tsx';
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
const SHOWN = 12;

/** A person's say about partitions: they are made, they need not be, or forget what is known. */
export function MarkDialog({ asset, ids, from, to, of, onClose }: MarkDialogProps) {
  const cache = useQueryClient();
  const forget = useAllowed('forget_partitions');
  const [as, setAs] = useState<Mark>('materialized');
  const send = (partitions: readonly string[], body: { readonly reason: string; readonly preview?: true }) => {
    const { key } = asset;
    return as === 'missing'
      ? forgetPartitions({ key, body: { partitions, ...body } })
      : markPartitions({ key, body: { as, partitions, ...body } });
  };
  const preview = useQuery({
    queryKey: ['mark preview', asset.key, as, ids, from, to, of],
    queryFn: async () => {
      const found = await partitionsOf({ asset, ids, from, to, of });
      const keys = found.map(({ key }) => key);
      const others = found.filter(({ outcome, activity }) => outcome !== as && activity === 'idle');
      const would =
        keys.length === 0 ? { changed: 0, busy: 0 } : await send(keys, { reason: 'preview', preview: true });
      return { keys, others: others.map(({ key }) => key), ...would };
    },
    placeholderData: keepPreviousData,
  });
  const shown = preview.isPlaceholderData ? undefined : preview.data;
  const act = useMutation({
    // What was shown, and nothing that came since.
    mutationFn: (reason: string) => send(shown?.keys ?? [], { reason }),
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
      ready={(shown?.changed ?? 0) > 0}
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
        {ids.length} {ids.length === 1 ? 'row' : 'rows'}, {from} to {to}
        {of.length > 0 && `, of them only what is ${of.join(' or ')}`}. The data itself is not touched; only what Skein
        believes of it changes.
      </p>
      {preview.error ? <ProblemNotice error={preview.error} /> : <MarkPreview as={as} of={shown} />}
      {as === 'missing' && (
        <Notice tone="warn">Sensors and backfills will take these partitions for never made.</Notice>
      )}
    </Confirm>
  );
}

interface Would {
  readonly keys: readonly string[];
  /** Those of them that are something else now. */
  readonly others: readonly string[];
  readonly changed: number;
  readonly busy: number;
}

/** What would change, before anything does. */
function MarkPreview({ as, of }: { as: Mark; of: Would | undefined }) {
  if (of === undefined) return <p className="dim">Counting what would change…</p>;
  const { keys, others, changed, busy } = of;
  return (
    <div className="stack tight" role="status">
      <p>
        <strong>
          {changed.toLocaleString('en')} of {keys.length.toLocaleString('en')} partitions would become {as}
        </strong>
        {busy > 0 && `; ${busy.toLocaleString('en')} that are queued or running would be left alone`}.
      </p>
      <div className="row wrap small">
        {others.slice(0, SHOWN).map((key) => (
          <KeyText key={key} of={key} max={28} />
        ))}
        <AndMore of={others.length} shown={SHOWN} />
      </div>
    </div>
  );
}

/** Those of a rectangle, as the server has them. */
async function partitionsOf({
  asset,
  ids,
  from,
  to,
  of,
}: Pick<MarkDialogProps, 'asset' | 'ids' | 'from' | 'to' | 'of'>): Promise<Partition[]> {
  const status = of.length > 0 ? of : OUTCOMES;
  const found: Partition[] = [];
  for (const row of ids) {
    let after: string | undefined;
    do {
      const more = { ...(row === '' ? {} : { row }), ...(after === undefined ? {} : { after }) };
      const page = await searchPartitions({ key: asset.key, from, to, status, limit: 500, ...more });
      found.push(...page.items);
      if (found.length > MOST_KEYS)
        throw new RangeError(`Mark at most ${MOST_KEYS.toLocaleString('en')} partitions at a time.`);
      after = page.next ?? undefined;
    } while (after !== undefined);
  }
  return found;
}
