import { Link } from '@tanstack/react-router';

import type { SensorDetail } from '../api/generated/client.ts';

/** The job and the assets that a sensor is for, as terms of a list of facts. */
export function SensorTargets({ sensor, tab }: { sensor: SensorDetail; tab?: 'config' }) {
  return (
    <>
      <dt>Job</dt>
      <dd>
        <Link to="/runs" search={{ q: `job:${sensor.job}` }}>
          {sensor.job}
        </Link>
      </dd>
      <dt>Assets</dt>
      <dd>
        {sensor.assets.map((key) => (
          <div key={key}>
            <Link to="/assets/$key" params={{ key }} search={tab === undefined ? {} : { tab }}>
              {key}
            </Link>
          </div>
        ))}
      </dd>
    </>
  );
}
