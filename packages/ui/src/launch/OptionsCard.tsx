import { TextInput } from '@mantine/core';

import type { AssetDetail } from '../api/generated/client.ts';
import { Checkbox, NumberInput } from '../parts/fields.ts';
import { Card } from '../parts/Page.tsx';

export interface LaunchOptions {
  readonly priority: number | undefined;
  readonly reason: string;
  readonly isRehearsal: boolean;
}

/** What is said of a launch beside its config. */
export function OptionsCard({
  asset,
  value,
  onChange,
}: {
  asset: AssetDetail;
  value: LaunchOptions;
  onChange: (next: LaunchOptions) => void;
}) {
  return (
    <Card title="Options">
      <div className="row wrap" style={{ alignItems: 'flex-end' }}>
        <NumberInput
          label="Priority"
          w={100}
          min={-1_000}
          max={1_000}
          placeholder="0"
          value={value.priority ?? ''}
          onChange={(next) => onChange({ ...value, priority: typeof next === 'number' ? next : undefined })}
        />
        <TextInput
          label="Reason"
          w={300}
          maxLength={1_000}
          placeholder="for the audit log"
          value={value.reason}
          onChange={(event) => onChange({ ...value, reason: event.currentTarget.value })}
        />
        {asset.can_rehearse && (
          <Checkbox
            label="Dry run: nothing is written"
            checked={value.isRehearsal}
            onChange={(event) => onChange({ ...value, isRehearsal: event.currentTarget.checked })}
            pb={6}
          />
        )}
      </div>
    </Card>
  );
}
