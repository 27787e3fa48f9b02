import { Button, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';

import { type AssetDetail, getPartition, searchPartitions } from '../api/generated/client.ts';
import { ApiError } from '../api/operation.ts';
import { useApi } from '../api/use-api.ts';
import { KeyText } from '../parts/KeyText.tsx';
import { Card } from '../parts/Page.tsx';
import { Status } from '../parts/Status.tsx';
import { lookOf } from '../parts/status.ts';
import { Time } from '../parts/Time.tsx';
import { DayStrip } from './DayStrip.tsx';

const TYPED_MS = 250;
const SUGGESTED = ['failed', 'missing'] as const;

/** One partition by its key, with its state beside it, and keys that one may want. */
export function PartitionPicker({
  asset,
  value,
  onChange,
}: {
  asset: AssetDetail;
  value: string;
  onChange: (key: string) => void;
}) {
  const [asked] = useDebouncedValue(value.trim(), TYPED_MS);
  const card = useApi(getPartition, { key: asset.key, partition: asked }, { enabled: asked !== '' });
  const problem = card.error instanceof ApiError ? card.error.problem.detail : undefined;
  return (
    <Card title="Partition">
      <div className="stack tight">
        <div className="row wrap" style={{ alignItems: 'flex-start' }}>
          <TextInput
            aria-label="Partition key"
            placeholder={asset.partitions.grammar}
            w={360}
            value={value}
            error={asked !== '' && asked === value.trim() ? problem : undefined}
            styles={{ input: { fontFamily: 'var(--mono)' } }}
            onChange={(event) => onChange(event.currentTarget.value)}
          />
          {card.data && asked !== '' && (
            <span className="row" style={{ minHeight: 30 }} role="status">
              <Status of={card.data.outcome} />
              {card.data.activity !== 'idle' && <Status of={card.data.activity} />}
              {card.data.run?.ended_at && (
                <span className="dim small">
                  last run <Time at={card.data.run.ended_at} relative />
                </span>
              )}
            </span>
          )}
        </div>
        <span className="dim small">{asset.partitions.grammar}. A range such as 1..5 makes one run over many.</span>
        {card.data && asked !== '' && (
          <DayStrip asset={asset} row={card.data.row} value={card.data.key} onChange={onChange} />
        )}
        {SUGGESTED.map((status) => (
          <Suggestions key={status} asset={asset} status={status} value={value} onChange={onChange} />
        ))}
      </div>
    </Card>
  );
}

const SHOWN = 6;
const DAYS_BACK = 14;
const DAY_MS = 86_400_000;

function Suggestions(props: {
  asset: AssetDetail;
  status: (typeof SUGGESTED)[number];
  value: string;
  onChange: (key: string) => void;
}) {
  const { asset, status } = props;
  const last = asset.partitions.last_complete_label;
  const from =
    last !== null && /^\d{4}-\d\d-\d\d$/.test(last)
      ? new Date(Date.parse(last) - DAYS_BACK * DAY_MS).toISOString().slice(0, 10)
      : undefined;
  const found = useApi(searchPartitions, { key: asset.key, status, limit: SHOWN, ...(from ? { from } : {}) });
  if (!found.data || found.data.items.length === 0) return null;
  return (
    <div className="row wrap small">
      <span className="dim">Lately {lookOf(status).word}:</span>
      {found.data.items.map(({ key }) => (
        <Button
          key={key}
          size="compact-xs"
          variant={props.value === key ? 'light' : 'default'}
          onClick={() => props.onChange(key)}
        >
          <KeyText of={key} max={26} />
        </Button>
      ))}
    </div>
  );
}
