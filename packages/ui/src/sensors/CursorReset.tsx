import { type SensorDetail, previewSensor, resetCursor } from '../api/generated/client.ts';
import { useAct, useApi } from '../api/use-api.ts';
import { DiffView } from '../editor/DiffView.tsx';
import type { Json } from '../editor/json.ts';
import { Confirm } from '../parts/Confirm.tsx';
import { Notice, Read } from '../parts/States.tsx';
import { summaryOf } from './preview.ts';

/** From here on the sensor's name must be typed. */
const MANY_RUNS = 1_000;
const PREVIEW_TICKS = 3;

/** Back to the initial cursor. Shows first what the sensor would then do. */
export function CursorReset({
  sensor,
  onClose,
  onDone,
}: {
  sensor: SensorDetail;
  onClose: () => void;
  onDone: () => void;
}) {
  const initial = sensor.initial_cursor as Json;
  const preview = useApi(previewSensor, {
    name: sensor.name,
    body: { ticks: PREVIEW_TICKS, ...(initial === null ? {} : { cursor: initial }) },
  });
  const reset = useAct(resetCursor, (cursor) => `The cursor is reset; it is version ${cursor.version} now.`);
  const isLarge = (preview.data?.requests_total ?? 0) > MANY_RUNS;
  return (
    <Confirm
      title={`Reset the cursor of ${sensor.name}`}
      verb="Reset the cursor"
      dangerous
      reason="required"
      typed={isLarge ? sensor.name : undefined}
      busy={reset.isPending}
      error={reset.error}
      onClose={onClose}
      onConfirm={(reason) =>
        reset.mutate(
          { name: sensor.name, body: { reason, if_version: sensor.cursor_version } },
          {
            onSuccess: () => {
              onDone();
              onClose();
            },
          },
        )
      }
    >
      <Notice tone="warn">
        The sensor starts over. Run keys begin a new generation ({sensor.cursor_generation + 1}), so what it asked for
        before is not suppressed: it may launch all of it again.
      </Notice>
      <Read of={preview} lines={2}>
        {(value) => (
          <p role="status">
            <strong>{summaryOf(value)}</strong> <span className="dim">Later ticks may go on from there.</span>
          </p>
        )}
      </Read>
      <DiffView before={sensor.cursor as Json} after={initial} same="It stands at its beginning already." />
      <p className="dim small">It can be undone: restore the version from the history below.</p>
    </Confirm>
  );
}
