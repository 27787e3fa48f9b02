import { Link } from '@tanstack/react-router';

import { type AssetDetail, getPartition, listSchedules, listSensors } from '../api/generated/client.ts';
import { useAll, useApi } from '../api/use-api.ts';
import { Notice } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Time } from '../parts/Time.tsx';

/** Why nothing has run: what would ask for it, what that last said, and whether what it is made from is there. */
export function NotRun({ asset, partition }: { asset: AssetDetail; partition: string }) {
  const sensors = useAll(listSensors, {}, { enabled: asset.sensors.length > 0 });
  const schedules = useAll(listSchedules, {}, { enabled: asset.schedules.length > 0 });
  const same = asset.depends_on.filter(({ mapping }) => mapping === 'identity');
  return (
    <Notice tone="calm">
      <strong>Why it has not run</strong>
      {asset.sensors.length + asset.schedules.length === 0 && (
        <p className="dim">No sensor and no schedule asks for this asset: somebody launches it.</p>
      )}
      <ul className="plain small">
        {same.map((one) => (
          <Upstream key={one.asset} asset={one.asset} partition={partition} />
        ))}
        {(sensors.data?.items ?? [])
          .filter(({ name }) => asset.sensors.includes(name))
          .map(({ name, status, last_tick: last }) => (
            <li key={name}>
              sensor{' '}
              <Link to="/sensors/$name" params={{ name }} search={last ? { tick: last.id } : {}}>
                {name}
              </Link>{' '}
              {status === 'STOPPED' ? 'is stopped' : 'runs'}
              {last ? (
                <>
                  ; its last tick <Time at={last.ended_at} relative />: <Status of={last.decision} bare />{' '}
                  <span className="anywhere">{last.reason}</span>
                </>
              ) : (
                ' and has not ticked yet'
              )}
            </li>
          ))}
        {(schedules.data?.items ?? [])
          .filter(({ name }) => asset.schedules.includes(name))
          .map(({ name, status, next_times: [next] }) => (
            <li key={name}>
              schedule{' '}
              <Link to="/schedules" search={{ name }}>
                {name}
              </Link>{' '}
              {status === 'STOPPED' ? (
                'is stopped'
              ) : (
                <>
                  asks next <Time at={next} relative />
                </>
              )}
            </li>
          ))}
      </ul>
    </Notice>
  );
}

/** The partition with the same key that this one is made from. */
function Upstream({ asset, partition }: { asset: string; partition: string }) {
  const found = useApi(getPartition, { key: asset, partition });
  if (!found.data) return null;
  return (
    <li>
      it is made from{' '}
      <Link to="/assets/$key" params={{ key: asset }} search={{ cell: partition }}>
        {asset}
      </Link>
      , which is <Status of={found.data.outcome} bare />
    </li>
  );
}
