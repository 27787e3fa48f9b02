import { Tooltip } from '@mantine/core';

import { type Sensor, startSensor, stopSensor } from '../api/generated/client.ts';
import { etag } from '../api/conflict.ts';
import { tellProblem, useAct } from '../api/use-api.ts';
import { useAllowed } from '../app/access.ts';
import { Switch } from '../parts/fields.ts';

/** Starts and stops a sensor. Who did it last, and what the code says, is in the tooltip. */
export function SensorSwitch({
  sensor,
}: {
  sensor: Pick<Sensor, 'name' | 'status' | 'status_version' | 'default_status' | 'status_by'>;
}) {
  const { allowed, reason } = useAllowed('switch_sensor');
  const start = useAct(startSensor, () => `${sensor.name} runs.`);
  const stop = useAct(stopSensor, () => `${sensor.name} is stopped.`);
  const isOn = sensor.status === 'RUNNING';
  const by = sensor.status_by ? ` Set by ${sensor.status_by}.` : '';
  const label = allowed
    ? `${isOn ? 'Running' : 'Stopped'}; the code says ${sensor.default_status.toLowerCase()}.${by}`
    : reason;
  return (
    <Tooltip label={label}>
      <div style={{ display: 'inline-flex' }}>
        <Switch
          aria-label={`${sensor.name} is on`}
          checked={isOn}
          aria-disabled={!allowed}
          disabled={start.isPending || stop.isPending}
          onChange={() => {
            if (!allowed) return;
            const act = isOn ? stop : start;
            act.mutate({ name: sensor.name, ifMatch: etag(sensor.status_version) }, { onError: tellProblem });
          }}
        />
      </div>
    </Tooltip>
  );
}
