import type { SensorDetail } from '../api/generated/client.ts';
import { Json } from '../parts/Json.tsx';
import { Card } from '../parts/Page.tsx';
import { Status } from '../parts/Status.tsx';
import { formatDuration } from '../parts/time.ts';
import { SensorTargets } from './SensorTargets.tsx';

/** The sensor as its definition has it; what people have changed since stands on the other tabs. */
export function CodeTab({ sensor }: { sensor: SensorDetail }) {
  return (
    <div className="split">
      <div className="stack">
        <Card title="Definition">
          <dl className="facts">
            <dt>Name</dt>
            <dd className="mono">{sensor.name}</dd>
            <dt>Kind</dt>
            <dd>sensor, at an interval</dd>
            <dt>Description</dt>
            <dd>{sensor.description}</dd>
            <dt>Interval</dt>
            <dd>{formatDuration(sensor.every_ms)}</dd>
            <dt>Time limit of a tick</dt>
            <dd>{formatDuration(sensor.timeout_ms)}</dd>
            <dt>Switch in the code</dt>
            <dd>
              <Status of={sensor.default_status} bare />
            </dd>
            <SensorTargets sensor={sensor} tab="config" />
            <dt>Resources</dt>
            <dd>{sensor.resources.join(', ') || 'none'}</dd>
          </dl>
        </Card>
        <Card title="Initial cursor">
          <Json of={sensor.initial_cursor} />
        </Card>
      </div>
      <Card title="Schema of the cursor">
        <Json of={sensor.cursor_schema} maxHeight={700} />
      </Card>
    </div>
  );
}
