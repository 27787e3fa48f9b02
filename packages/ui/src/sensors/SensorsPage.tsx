import { Button, TextInput } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';
import { Zap } from 'lucide-react';
import { useState } from 'react';

import { type Sensor, evaluateSensor, getOverview, listSensors } from '../api/generated/client.ts';
import { tellProblem, useAct, useAll, useApi } from '../api/use-api.ts';
import { Act } from '../parts/Act.tsx';
import { DataTable } from '../parts/DataTable.tsx';
import { Card, Page } from '../parts/Page.tsx';
import type { RowAct } from '../parts/RowMenu.tsx';
import { Empty, Read } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { lookOf } from '../parts/status.ts';
import { Time } from '../parts/Time.tsx';
import { formatDuration } from '../parts/time.ts';
import { SensorBulk } from './SensorBulk.tsx';
import { SensorSwitch } from './SensorSwitch.tsx';
import './timeline.css';

const route = getRouteApi('/sensors');

type Late = ReadonlySet<string>;

const STATES = {
  running: (sensor: Sensor) => sensor.status === 'RUNNING',
  stopped: (sensor: Sensor) => sensor.status === 'STOPPED',
  erroring: (sensor: Sensor) => sensor.error_streak > 0,
  stuck: (sensor: Sensor, late: Late) => late.has(sensor.name),
  overridden: (sensor: Sensor) => sensor.status !== sensor.default_status,
} as const;

const MEANINGS: Readonly<Record<keyof typeof STATES, string>> = {
  running: 'Turned on',
  stopped: 'Turned off',
  erroring: 'The last tick failed',
  stuck: 'On, and without a tick for more than three intervals',
  overridden: 'Turned otherwise than the code says',
};

/** Every sensor with its switch, what its last tick decided and why, and when the next one is due. */
export function SensorsPage() {
  const { q, state } = route.useSearch();
  const navigate = route.useNavigate();
  const sensors = useAll(listSensors, {});
  const overview = useApi(getOverview, {});
  const late: Late = new Set(overview.data?.sensors.late);
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
            title={MEANINGS[one]}
            aria-pressed={state === one}
            onClick={() =>
              void navigate({
                search: { ...(q ? { q } : {}), ...(state === one ? {} : { state: one }) },
                replace: true,
              })
            }
          >
            {one}{' '}
            <span className="dim num">
              {sensors.data?.items.filter((sensor) => STATES[one](sensor, late)).length ?? ''}
            </span>
          </button>
        ))}
      </div>
      <Card flush>
        <Read of={sensors}>
          {({ items }) => {
            const shown = items.filter(
              (sensor) =>
                (state === undefined || STATES[state](sensor, late)) &&
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
            return <SensorTable sensors={shown} late={late} />;
          }}
        </Read>
      </Card>
    </Page>
  );
}

function SensorTable({ sensors, late }: { sensors: readonly Sensor[]; late: Late }) {
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const acts = useActs();
  // One that the filter hides now is not acted on.
  const chosen = sensors.filter(({ name }) => ticked.has(name));
  return (
    <>
      <DataTable
        rows={sensors}
        keyOf={({ name }) => name}
        ticks={{ keys: ticked, verb: 'Select', onTick: setTicked, hasAll: true }}
        acts={acts}
        columns={[
          { name: 'On', cell: (sensor) => <SensorSwitch sensor={sensor} /> },
          { name: 'Sensor', cell: (sensor) => <Name of={sensor} /> },
          { name: 'Target', className: 'small', cell: (sensor) => <Targets of={sensor} /> },
          { name: 'Every', isEnd: true, isNowrap: true, cell: (sensor) => formatDuration(sensor.every_ms) },
          { name: 'Newest ticks', cell: (sensor) => <Recent of={sensor.recent} /> },
          { name: 'Last tick', isNowrap: true, cell: (sensor) => <LastTick of={sensor} /> },
          { name: 'Said', className: 'small said', cell: ({ last_tick: last }) => <Said of={last?.reason} /> },
          {
            name: 'Next',
            isNowrap: true,
            className: 'small',
            cell: (sensor) => <Next of={sensor} isStuck={late.has(sensor.name)} />,
          },
          { name: 'Evaluate', isQuiet: true, isEnd: true, cell: (sensor) => <Evaluate sensor={sensor} /> },
        ]}
      />
      {chosen.length > 0 && <SensorBulk sensors={chosen} onClear={() => setTicked(new Set())} />}
    </>
  );
}

function Name({ of }: { of: Sensor }) {
  return (
    <>
      <Link to="/sensors/$name" params={{ name: of.name }} className="strong">
        {of.name}
      </Link>
      <div className="dim small clip" style={{ maxWidth: 250 }} title={of.description}>
        {of.description}
      </div>
    </>
  );
}

function Targets({ of }: { of: Sensor }) {
  return of.assets.map((asset) => (
    <div key={asset} className="clip" style={{ maxWidth: 170 }} title={asset}>
      <Link to="/assets/$key" params={{ key: asset }}>
        {asset}
      </Link>
    </div>
  ));
}

const TALL = new Set(['requested', 'suppressed', 'failed', 'timed_out']);

/** A bar a tick, the newest at the end; what asked for runs or failed stands out by its height too. */
function Recent({ of }: { of: readonly string[] }) {
  if (of.length === 0) return <span className="dim">–</span>;
  const words = [...new Set(of)].map((one) => `${of.filter((other) => other === one).length} ${lookOf(one).word}`);
  const shown = of.slice(-24);
  return (
    <span className="recent" role="img" aria-label={words.join(', ')} title={words.join(', ')}>
      {shown.map((one, i) => (
        <i key={i} data-tone={lookOf(one).tone} data-tall={TALL.has(one) || undefined} />
      ))}
    </span>
  );
}

function Next({ of, isStuck }: { of: Sensor; isStuck: boolean }) {
  const isOn = of.status === 'RUNNING';
  return (
    <>
      {isOn ? <Time at={of.next_due_at} relative /> : <span className="dim">stopped</span>}
      {isStuck && <div className="bad strong">stuck</div>}
      {of.status !== of.default_status && (
        <div className="dim" title={`The code says ${of.default_status.toLowerCase()}; set by ${of.status_by}`}>
          overrides the code
        </div>
      )}
    </>
  );
}

function LastTick({ of }: { of: Sensor }) {
  const last = of.last_tick;
  return (
    <>
      {of.running_tick ? (
        <Status of="running" bare />
      ) : last ? (
        <Status of={last.decision} bare />
      ) : (
        <span className="dim">never</span>
      )}
      <div className="small dim">
        <Time at={last?.ended_at} relative />
        {of.error_streak > 0 && <strong className="bad"> · {of.error_streak} errors in a row</strong>}
      </div>
    </>
  );
}

function Said({ of }: { of: string | null | undefined }) {
  if (!of) return <span className="dim">–</span>;
  return (
    <span className="two-lines" title={of}>
      {of}
    </span>
  );
}

function useActs(): (sensor: Sensor) => RowAct[] {
  const evaluate = useAct(evaluateSensor, (_, { name }) => `${name} is being evaluated.`);
  return ({ name, running_tick: running, job }) => {
    const tab = (one: 'ticks' | 'cursor' | 'runs' | 'logs') =>
      ({ to: '/sensors/$name', params: { name }, search: { tab: one } }) as const;
    return [
      {
        name: 'Evaluate now',
        permission: 'evaluate_sensor',
        because: running ? 'A tick is running.' : undefined,
        onAct: () => evaluate.mutate({ name }, { onError: tellProblem }),
      },
      { name: 'Its ticks', link: tab('ticks') },
      { name: 'Its cursor', link: tab('cursor') },
      { name: 'Its runs', link: tab('runs') },
      { name: 'What its code logged', link: tab('logs') },
      { name: 'Launch its job', link: { to: '/launch', search: { job } } },
    ];
  };
}

function Evaluate({ sensor }: { sensor: Sensor }) {
  const evaluate = useAct(evaluateSensor, () => `${sensor.name} is being evaluated.`);
  return (
    <Act
      size="compact-xs"
      permission="evaluate_sensor"
      because={sensor.running_tick ? 'A tick is running.' : undefined}
      onAct={() => evaluate.mutate({ name: sensor.name }, { onError: tellProblem })}
      aria-label={`Evaluate now: ${sensor.name}`}
    >
      <Zap size={13} aria-hidden />
    </Act>
  );
}
