import { type SensorDetail, previewSensor } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { useAllowed } from '../app/access.ts';
import { DiffView } from '../editor/DiffView.tsx';
import type { Json } from '../editor/json.ts';
import { Confirm } from '../parts/Confirm.tsx';
import { Notice, Read } from '../parts/States.tsx';
import { summaryOf } from './preview.ts';

export interface CursorSaveProps {
  readonly sensor: SensorDetail;
  readonly cursor: Json;
  readonly buildsOn: number;
  /** A tick is evaluated at once, also when the sensor is stopped. */
  readonly isApplied: boolean;
  readonly busy: boolean;
  readonly error: unknown;
  readonly onClose: () => void;
  readonly onSave: (reason: string) => void;
}

const MANY_RUNS = 1_000;

/** What changes, and what the next tick would do with it: seen before anything is written. */
export function CursorSave(props: CursorSaveProps) {
  const { sensor, cursor, buildsOn, isApplied } = props;
  const { allowed } = useAllowed('preview_tick');
  const preview = useApi(previewSensor, { name: sensor.name, body: { ticks: 1, cursor } }, { enabled: allowed });
  const isLarge = isApplied && (preview.data?.requests_total ?? 0) > MANY_RUNS;
  return (
    <Confirm
      title={isApplied ? 'Save the cursor and evaluate the sensor now' : 'Save the cursor'}
      verb={isApplied ? 'Save and apply' : 'Save'}
      reason="required"
      typed={isLarge ? sensor.name : undefined}
      ready={!isApplied || !preview.isPending}
      busy={props.busy}
      error={props.error}
      onClose={props.onClose}
      onConfirm={props.onSave}
    >
      <DiffView before={sensor.cursor as Json} after={cursor} />
      {allowed && (
        <Read of={preview} lines={1}>
          {(value) => (
            <Notice tone={value.requests_total > MANY_RUNS ? 'warn' : 'busy'}>
              <span role="status">
                The next tick: {summaryOf(value)}
                {isApplied ? ' It is evaluated as soon as the cursor is saved.' : ''}
              </span>
            </Notice>
          )}
        </Read>
      )}
      <p className="dim small">
        It is saved only if version {buildsOn} is still the stored one. Run keys stay: what was asked for before is
        suppressed.
      </p>
    </Confirm>
  );
}
