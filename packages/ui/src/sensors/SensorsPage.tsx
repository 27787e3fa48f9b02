import { Button, TextInput } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';

import { type Sensor, evaluateSensor, listSensors } from '../api/generated/client.ts';
import { tellProblem, useAct, useApi } from '../api/use-api.ts';
import { Act } from '../parts/Act.tsx';
import { Card, Page } from '../parts/Page.tsx';
import { Empty, Read } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Time } from '../parts/Time.tsx';
import { formatDuration } from '../parts/time.ts';
import { SensorSwitch } from './SensorSwitch.tsx';

const route = getRouteApi('/sensors');

const STATES = {
  running: (sensor: Sensor) => sensor.status === 'RUNNING',
  stopped: (sensor: Sensor) => sensor.status === 'STOPPED',
  erroring: (sensor: Sensor) => sensor.error_streak > 0,
} as const;

/** Every sensor with its switch, what its last tick decided and why, and when the next one is due. */
export function SensorsPage() {
  const { q, state } = route.useSearch();
  const navigate = route.useNavigate();
  const sensors = useApi(listSensors, {});
  return (
    <Page
      title="Sensors"
      lead="Code that looks at the world at an interval and asks for runs. Each keeps its place in a cursor, which you can edit."
    >
      <div className="row wrap">
        <TextInput
          data-filter
          aria-label="Filter by name"
          placeholder="Filter by name, job or asset  /"
          w={260}
          value={q ?? ''}
          onChange={(event) =>
            void navigate({ search: { q: event.currentTarget.value, ...(state ? { state } : {}) }, replace: true })
          }
        />
        {(Object.keys(STATES) as (keyof typeof STATES)[]).map((one) => (
          <button
            key={one}
            type="button"
            className="chip"
            aria-pressed={state === one}
            onClick={() =>
              void navigate({
                search: { ...(q ? { q } : {}), ...(state === one ? {} : { state: one }) },
                replace: true,
              })
            }
          >
            {one} <span className="dim num">{sensors.data?.items.filter(STATES[one]).length ?? ''}</span>
          </button>
        ))}
      </div>
      <Card flush>
        <Read of={sensors}>
          {({ items }) => {
            const shown = items.filter(
              (sensor) =>
                (state === undefined || STATES[state](sensor)) &&
                [sensor.name, sensor.job, ...sensor.assets].some((text) =>
                  text.toLowerCase().includes((q ?? '').toLowerCase()),
                ),
            );
            if (items.length === 0)
              return <Empty title="No sensors are defined.">Add one with defineSensor in skein.config.ts.</Empty>;
            if (shown.length === 0)
              return (
                <Empty title={`The filter hides all ${items.length} sensors.`}>
                  <Button variant="default" onClick={() => void navigate({ search: {} })}>
                    Clear the filter
                  </Button>
                </Empty>
              );
            return <SensorTable sensors={shown} />;
          }}
        </Read>
      </Card>
    </Page>
  );
}

function SensorTable({ sensors }: { sensors: readonly Sensor[] }) {
  return (
    <div className="table-wrap">
      <table className="table">
        <thead>
          <tr>
            <th>On</th>
            <th>Sensor</th>
            <th>Target</th>
            <th className="end">Every</th>
            <th>Last tick</th>
            <th>Said</th>
            <th>Next</th>
            <th>
              <span className="visually-hidden">Acts</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {sensors.map((sensor) => (
            <SensorRow key={sensor.name} sensor={sensor} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function SensorRow({ sensor }: { sensor: Sensor }) {
  const evaluate = useAct(evaluateSensor, () => `${sensor.name} is being evaluated.`);
  const last = sensor.last_tick;
  return (
    <tr>
      <td>
        <SensorSwitch sensor={sensor} />
      </td>
      <td>
        <Link to="/sensors/$name" params={{ name: sensor.name }} style={{ fontWeight: 600 }}>
          {sensor.name}
        </Link>
        <div className="dim small clip" style={{ maxWidth: 320 }} title={sensor.description}>
          {sensor.description}
        </div>
      </td>
      <td className="small">
        {sensor.assets.map((asset) => (
          <div key={asset}>
            <Link to="/assets/$key" params={{ key: asset }}>
              {asset}
            </Link>
          </div>
        ))}
      </td>
      <td className="end nowrap">{formatDuration(sensor.every_ms)}</td>
      <td className="nowrap">
        {sensor.running_tick ? (
          <Status of="running" bare />
        ) : last ? (
          <Status of={last.decision} bare />
        ) : (
          <span className="dim">never</span>
        )}
        <div className="small dim">
          <Time at={last?.ended_at} relative />
          {sensor.error_streak > 0 && (
            <strong style={{ color: 'var(--bad)' }}> · {sensor.error_streak} errors in a row</strong>
          )}
        </div>
      </td>
      <td className="small" style={{ minWidth: 240 }}>
        {last?.reason ? (
          <span className="two-lines" title={last.reason}>
            {last.reason}
          </span>
        ) : (
          <span className="dim">–</span>
        )}
      </td>
      <td className="nowrap small">
        {sensor.status === 'RUNNING' ? <Time at={sensor.next_due_at} relative /> : <span className="dim">stopped</span>}
      </td>
      <td className="nowrap">
        <Act
          size="compact-xs"
          permission="evaluate_sensor"
          because={sensor.running_tick ? 'A tick is running.' : undefined}
          onAct={() => evaluate.mutate({ name: sensor.name }, { onError: tellProblem })}
          aria-label={`Evaluate now: ${sensor.name}`}
        >
          Evaluate now
        </Act>
      </td>
    </tr>
  );
}
