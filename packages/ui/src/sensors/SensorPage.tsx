import { Button } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';
import { FlaskConical, Zap } from 'lucide-react';

import { type SensorDetail, evaluateSensor, getSensor, previewSensor } from '../api/generated/client.ts';
import { tellProblem, useAct, useApi } from '../api/use-api.ts';
import { useAllowed } from '../app/access.ts';
import { Act } from '../parts/Act.tsx';
import { Card, Page } from '../parts/Page.tsx';
import { Read } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Tabs } from '../parts/Tabs.tsx';
import { Time } from '../parts/Time.tsx';
import { formatDuration } from '../parts/time.ts';
import { RunTable } from '../runs/RunTable.tsx';
import { CodeTab } from './CodeTab.tsx';
import { CursorTab } from './CursorTab.tsx';
import { LogsTab } from './LogsTab.tsx';
import { SensorSwitch } from './SensorSwitch.tsx';
import { SensorTargets } from './SensorTargets.tsx';
import { TicksTab } from './TicksTab.tsx';
import { summaryOf } from './preview.ts';

const route = getRouteApi('/sensors/$name');
const TABS = [
  ['ticks', 'Ticks'],
  ['cursor', 'Cursor'],
  ['runs', 'Runs'],
  ['logs', 'Logs'],
  ['code', 'Code'],
] as const;

export function SensorPage() {
  const { name } = route.useParams();
  const { tab = 'ticks' } = route.useSearch();
  const sensor = useApi(getSensor, { name });
  return (
    <Page
      title={name}
      tab={`${name} · sensor`}
      lead={sensor.data?.description}
      head={sensor.data && <Head sensor={sensor.data} />}
    >
      <Tabs
        label="Of this sensor"
        tabs={TABS.map(([key, word]) => ({
          name: word,
          active: tab === key,
          link: { to: '/sensors/$name', params: { name }, search: { tab: key } },
        }))}
      />
      <Read of={sensor}>
        {(value) => (
          <>
            {tab === 'ticks' && <Overview sensor={value} />}
            {tab === 'cursor' && <CursorTab key={name} sensor={value} />}
            {tab === 'runs' && (
              <Card flush>
                <RunTable filter={{ cause: `sensor:${name}` }} none="This sensor has not asked for a run yet." />
              </Card>
            )}
            {tab === 'logs' && <LogsTab name={name} />}
            {tab === 'code' && <CodeTab sensor={value} />}
          </>
        )}
      </Read>
    </Page>
  );
}

function Head({ sensor }: { sensor: SensorDetail }) {
  const evaluate = useAct(evaluateSensor, () => 'The sensor is being evaluated.');
  return (
    <>
      <SensorSwitch sensor={sensor} />
      <Status of={sensor.status} />
      {sensor.error_streak > 0 && <Status of="failed" label={`${sensor.error_streak} errors in a row`} />}
      <span className="small dim">
        every {formatDuration(sensor.every_ms)}
        {sensor.last_tick && (
          <>
            {' · last '}
            <Time at={sensor.last_tick.ended_at} relative />
          </>
        )}
        {sensor.status === 'RUNNING' && (
          <>
            {' · next '}
            <Time at={sensor.next_due_at} relative />
          </>
        )}
      </span>
      <span className="grow" />
      <Button
        component={Link}
        to="/sensors/$name"
        params={{ name: sensor.name } as never}
        search={{ tab: 'cursor' } as never}
        variant="default"
        leftSection={<FlaskConical size={14} />}
      >
        Preview
      </Button>
      <Act
        permission="evaluate_sensor"
        leftSection={<Zap size={14} />}
        because={sensor.running_tick ? 'A tick is running.' : undefined}
        loading={evaluate.isPending}
        onAct={() => evaluate.mutate({ name: sensor.name }, { onError: tellProblem })}
      >
        Evaluate now
      </Act>
    </>
  );
}

function Overview({ sensor }: { sensor: SensorDetail }) {
  return (
    <div className="split side">
      <TicksTab name={sensor.name} />
      <div className="stack">
        <NextTick sensor={sensor} />
        <Card title="About">
          <dl className="facts">
            <SensorTargets sensor={sensor} />
            <dt>Interval</dt>
            <dd>{formatDuration(sensor.every_ms)}</dd>
            <dt>Time limit</dt>
            <dd>{formatDuration(sensor.timeout_ms)}</dd>
            <dt>Next tick</dt>
            <dd>
              {sensor.status === 'RUNNING' ? <Time at={sensor.next_due_at} relative /> : 'none while it is stopped'}
            </dd>
            <dt>Cursor</dt>
            <dd>
              version {sensor.cursor_version}, generation {sensor.cursor_generation}
            </dd>
            <dt>Switch</dt>
            <dd>
              {sensor.status.toLowerCase()}
              {sensor.status_by && ` by ${sensor.status_by}`}; code says {sensor.default_status.toLowerCase()}
            </dd>
          </dl>
        </Card>
      </div>
    </div>
  );
}

const ESTIMATE_MS = 30_000;

function NextTick({ sensor }: { sensor: SensorDetail }) {
  const { allowed, reason } = useAllowed('preview_tick');
  const preview = useApi(
    previewSensor,
    { name: sensor.name, body: { ticks: 1 } },
    { enabled: allowed, refetchInterval: ESTIMATE_MS },
  );
  return (
    <Card title="What will the next tick do?">
      {!allowed && <p className="dim">{reason}</p>}
      {allowed && (
        <Read of={preview} lines={2}>
          {(value) => (
            <div className="stack tight">
              <strong>{summaryOf(value)}</strong>
              <span className="dim small">
                An estimate from the sensor’s real code with the stored cursor; nothing is changed.
              </span>
            </div>
          )}
        </Read>
      )}
    </Card>
  );
}
