import { type SensorDetail, previewSensor } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { useAllowed } from '../app/access.ts';
import { DiffView } from '../editor/DiffView.tsx';
import type { Json } from '../editor/json.ts';
import { Confirm } from '../parts/Confirm.tsx';
import { Notice, Read } from '../parts/States.tsx';
import { MANY_RUNS, summaryOf } from './preview.ts';

export interface CursorSaveProps {
  readonly sensor: SensorDetail;
  readonly cursor: Json;
  readonly buildsOn: number;
  /** What the sensor asks for with it is launched in the same write, also when the sensor is stopped. */
  readonly isApplied: boolean;
  readonly busy: boolean;
  readonly error: unknown;
  readonly onClose: () => void;
  readonly onSave: (reason: string) => void;
}

/** What changes, and what the next tick would do with it: seen before anything is written. */
export function CursorSave(props: CursorSaveProps) {
  const { sensor, cursor, buildsOn, isApplied } = props;
  const { allowed } = useAllowed('preview_tick');
  const preview = useApi(previewSensor, { name: sensor.name, body: { ticks: 1, cursor } }, { enabled: allowed });
  const isLarge = isApplied && (preview.data?.requests_total ?? 0) > MANY_RUNS;
  return (
    <Confirm
      title={isApplied ? 'Save the cursor and launch what it asks for' : 'Save the cursor'}
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
                {isApplied ? ' Cursor and runs are written together, or neither is.' : ''}
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
