import { Fragment } from 'react';

import { type AssetDetail, searchPartitions } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { PARTITION_STATUSES, lookOf } from '../parts/status.ts';

const DAYS = 42;
const DAY_MS = 86_400_000;
const DAY = /^\d{4}-\d\d-\d\d$/;

/** The last six weeks of one id, a square a day with its state: a click chooses it. */
export function DayStrip({
  asset,
  row,
  value,
  onChange,
}: {
  asset: AssetDetail;
  row: string;
  value: string;
  onChange: (key: string) => void;
}) {
  const last = asset.partitions.last_complete_label;
  const isDaily = last !== null && DAY.test(last) && !asset.partitions.grammar.includes('Monday');
  const from = isDaily ? new Date(Date.parse(last) - (DAYS - 1) * DAY_MS).toISOString().slice(0, 10) : '';
  const found = useApi(
    searchPartitions,
    { key: asset.key, from, status: PARTITION_STATUSES, limit: DAYS + 1, ...(row === '' ? {} : { row }) },
    { enabled: isDaily, keep: true },
  );
  const first = Date.parse(asset.partitions.first_column);
  if (!isDaily || !found.data || found.data.items.length === 0) return null;
  return (
    <div className="day-strip" role="group" aria-label="The last six weeks">
      {found.data.items.map((one, i) => {
        const label = new Date(first + one.column * DAY_MS).toISOString().slice(0, 10);
        const state = one.activity === 'idle' ? one.outcome : one.activity;
        const { tone, word } = lookOf(state);
        return (
          <Fragment key={one.key}>
            {(i === 0 || label.endsWith('-01')) && <span className="month">{label.slice(0, 7)}</span>}
            <button
              type="button"
              data-tone={tone}
              aria-pressed={one.key === value}
              aria-label={`${one.key} ${word}`}
              title={`${one.key}: ${word}`}
              onClick={() => onChange(one.key)}
            >
              {label.slice(8)}
            </button>
          </Fragment>
        );
      })}
    </div>
  );
}
