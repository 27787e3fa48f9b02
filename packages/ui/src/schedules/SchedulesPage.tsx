import { Tooltip } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';

import {
  type Schedule,
  listScheduleTicks,
  listSchedules,
  startSchedule,
  stopSchedule,
} from '../api/generated/client.ts';
import { etag } from '../api/conflict.ts';
import { tellProblem, useAct, useAll, usePages } from '../api/use-api.ts';
import { useAllowed } from '../app/access.ts';
import { DataTable, PagedTable } from '../parts/DataTable.tsx';
import { Card, Page } from '../parts/Page.tsx';
import { Empty, Read } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Time } from '../parts/Time.tsx';
import { formatDuration } from '../parts/time.ts';
import { Switch } from '../parts/fields.ts';

const route = getRouteApi('/schedules');

export function SchedulesPage() {
  const { name } = route.useSearch();
  const schedules = useAll(listSchedules, {});
  return (
    <Page
      title="Schedules"
      lead="Runs at times of the clock, in a time zone, with a rule for the times that were missed."
    >
      <Card flush>
        <Read of={schedules}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="No schedules are defined.">
                Sensors do most of the work here. To run something at a time of the clock, add one with defineSchedule
                in skein.config.ts.
              </Empty>
            ) : (
              <DataTable
                rows={items}
                keyOf={(schedule) => schedule.name}
                detail={(schedule) => name === schedule.name && <Ticks name={schedule.name} />}
                columns={[
                  { name: 'On', cell: (schedule) => <OnOff schedule={schedule} /> },
                  { name: 'Schedule', cell: (one) => <Name schedule={one} isOpen={name === one.name} /> },
                  {
                    name: 'When',
                    cell: ({ cron, time_zone: zone }) => (
                      <>
                        <code className="mono">{cron}</code> <span className="dim small">{zone}</span>
                      </>
                    ),
                  },
                  { name: 'Missed times', className: 'small', cell: (schedule) => schedule.catch_up },
                  { name: 'Last tick', cell: ({ last_tick: last }) => <LastTick of={last} /> },
                  { name: 'Next times', className: 'small', cell: (schedule) => <NextTimes of={schedule} /> },
                ]}
              />
            )
          }
        </Read>
      </Card>
    </Page>
  );
}

function OnOff({ schedule }: { schedule: Schedule }) {
  const { allowed, reason } = useAllowed('switch_sensor');
  const start = useAct(startSchedule, () => `${schedule.name} runs.`);
  const stop = useAct(stopSchedule, () => `${schedule.name} is stopped.`);
  const isOn = schedule.status === 'RUNNING';
  return (
    <Tooltip label={allowed ? `The code says ${schedule.default_status.toLowerCase()}.` : reason}>
      <div style={{ display: 'inline-flex' }}>
        <Switch
          aria-label={`${schedule.name} is on`}
          checked={isOn}
          aria-disabled={!allowed}
          onChange={() => {
            if (!allowed) return;
            const ifMatch = etag(schedule.status_version);
            (isOn ? stop : start).mutate({ name: schedule.name, ifMatch }, { onError: tellProblem });
          }}
        />
      </div>
    </Tooltip>
  );
}

function Name({ schedule, isOpen }: { schedule: Schedule; isOpen: boolean }) {
  return (
    <>
      <Link
        to="/schedules"
        search={isOpen ? {} : { name: schedule.name }}
        aria-expanded={isOpen}
        className="strong"
        resetScroll={false}
      >
        {schedule.name}
      </Link>
      <div className="dim small">{schedule.description}</div>
    </>
  );
}

function LastTick({ of }: { of: Schedule['last_tick'] }) {
  if (!of) return <span className="dim">never</span>;
  return (
    <>
      <Status of={of.decision} bare />
      <div className="small dim">{of.reason}</div>
    </>
  );
}

function NextTimes({ of }: { of: Schedule }) {
  if (of.status !== 'RUNNING') return 'stopped';
  return of.next_times.slice(0, 3).map((at) => (
    <div key={at}>
      <Time at={at} />
    </div>
  ));
}

function Ticks({ name }: { name: string }) {
  const ticks = usePages(listScheduleTicks, { name, limit: 20 });
  return (
    <PagedTable
      pages={ticks}
      none={<p className="dim">No ticks yet.</p>}
      keyOf={({ id }) => id}
      columns={[
        { name: 'Time', cell: (tick) => <Time at={tick.started_at} /> },
        { name: 'Decision', cell: (tick) => <Status of={tick.decision} bare /> },
        { name: 'Reason', cell: (tick) => tick.reason },
        { name: 'Runs', isEnd: true, cell: (tick) => tick.requested },
        {
          ...{ name: 'Took', isEnd: true },
          cell: ({ duration_ms: took }) => (took === null ? '–' : formatDuration(took)),
        },
      ]}
    />
  );
}
