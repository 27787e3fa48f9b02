import { Link } from '@tanstack/react-router';

import { type AssetDetail, listSchedules, listSensors } from '../api/generated/client.ts';
import { useAll } from '../api/use-api.ts';
import { Card } from '../parts/Page.tsx';
import { Empty, Read } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Time } from '../parts/Time.tsx';
import { formatDuration } from '../parts/time.ts';
import { SensorSwitch } from '../sensors/SensorSwitch.tsx';

/** What asks for runs of an asset by itself, and by when its data are due. */
export function Automation({ asset }: { asset: AssetDetail }) {
  const sensors = useAll(listSensors, {});
  const schedules = useAll(listSchedules, {});
  return (
    <div className="stack">
      <Card flush title="Sensors">
        <Read of={sensors} lines={2}>
          {({ items }) => {
            const own = items.filter(({ name }) => asset.sensors.includes(name));
            if (own.length === 0) return <Empty title="No sensor asks for this asset." />;
            return (
              <Rows head={['On', 'Sensor', 'Last tick', 'Said', 'Next']}>
                {own.map((sensor) => (
                  <tr key={sensor.name}>
                    <td>
                      <SensorSwitch sensor={sensor} />
                    </td>
                    <td>
                      <Link to="/sensors/$name" params={{ name: sensor.name }} className="strong">
                        {sensor.name}
                      </Link>
                    </td>
                    <td className="nowrap">
                      {sensor.last_tick ? <Status of={sensor.last_tick.decision} bare /> : 'never'}{' '}
                      <Time at={sensor.last_tick?.ended_at} relative />
                    </td>
                    <td className="small">
                      <span className="two-lines">{sensor.last_tick?.reason}</span>
                    </td>
                    <td className="nowrap">
                      {sensor.status === 'RUNNING' ? <Time at={sensor.next_due_at} relative /> : 'stopped'}
                    </td>
                  </tr>
                ))}
              </Rows>
            );
          }}
        </Read>
      </Card>
      <Card flush title="Schedules">
        <Read of={schedules} lines={2}>
          {({ items }) => {
            const own = items.filter(({ name }) => asset.schedules.includes(name));
            if (own.length === 0) return <Empty title="No schedule asks for this asset." />;
            return (
              <Rows head={['Schedule', 'State', 'When', 'Next']}>
                {own.map(({ name, status, cron, time_zone: zone, next_times: [next] }) => (
                  <tr key={name}>
                    <td>
                      <Link to="/schedules" search={{ name }} className="strong">
                        {name}
                      </Link>
                    </td>
                    <td>
                      <Status of={status} bare />
                    </td>
                    <td className="mono">
                      {cron} {zone}
                    </td>
                    <td className="nowrap">{status === 'RUNNING' ? <Time at={next} /> : 'stopped'}</td>
                  </tr>
                ))}
              </Rows>
            );
          }}
        </Read>
      </Card>
      <Card title="Freshness">
        <Due of={asset.freshness} />
      </Card>
    </div>
  );
}

function Due({ of }: { of: AssetDetail['freshness'] }) {
  if (of === null) return <p className="dim">No policy: nobody is told when its data come late.</p>;
  return (
    <dl className="facts">
      <dt>State</dt>
      <dd>
        <Status of={of.state} bare />
        {of.late_rows > 0 && ` ${of.late_rows.toLocaleString('en')} of ${of.rows.toLocaleString('en')}`}
      </dd>
      <dt>Within</dt>
      <dd>{formatDuration(of.within_ms)}</dd>
      {of.cron !== null && (
        <>
          <dt>Looked for</dt>
          <dd className="mono">
            {of.cron} {of.time_zone}
          </dd>
        </>
      )}
      <dt>Due</dt>
      <dd>
        {of.label !== null && `${of.label}, by `}
        <Time at={of.due_at} />
      </dd>
    </dl>
  );
}

function Rows({ head, children }: { head: readonly string[]; children: React.ReactNode }) {
  return (
    <div className="table-wrap">
      <table className="table">
        <thead>
          <tr>
            {head.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
