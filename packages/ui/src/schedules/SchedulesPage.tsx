import { Tooltip } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';
import { Fragment } from 'react';

import {
  type Schedule,
  listScheduleTicks,
  listSchedules,
  startSchedule,
  stopSchedule,
} from '../api/generated/client.ts';
import { tellProblem, useAct, useApi, usePages } from '../api/use-api.ts';
import { useAllowed } from '../app/access.ts';
import { More } from '../parts/More.tsx';
import { Card, Page } from '../parts/Page.tsx';
import { Empty, Read } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Time } from '../parts/Time.tsx';
import { formatDuration } from '../parts/time.ts';
import { Switch } from '../parts/fields.ts';

const route = getRouteApi('/schedules');

export function SchedulesPage() {
  const { name } = route.useSearch();
  const schedules = useApi(listSchedules, {});
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
              <div className="table-wrap">
                <table className="table">
                  <thead>
                    <tr>
                      <th>On</th>
                      <th>Schedule</th>
                      <th>When</th>
                      <th>Missed times</th>
                      <th>Last tick</th>
                      <th>Next times</th>
                    </tr>
                  </thead>
                  <tbody>
                    {items.map((schedule) => (
                      <Fragment key={schedule.name}>
                        <Row schedule={schedule} isOpen={name === schedule.name} />
                        {name === schedule.name && (
                          <tr>
                            <td colSpan={6} style={{ background: 'var(--raised)' }}>
                              <Ticks name={schedule.name} />
                            </td>
                          </tr>
                        )}
                      </Fragment>
                    ))}
                  </tbody>
                </table>
              </div>
            )
          }
        </Read>
      </Card>
    </Page>
  );
}

function Row({ schedule, isOpen }: { schedule: Schedule; isOpen: boolean }) {
  const { allowed, reason } = useAllowed('switch_sensor');
  const start = useAct(startSchedule, () => `${schedule.name} runs.`);
  const stop = useAct(stopSchedule, () => `${schedule.name} is stopped.`);
  const isOn = schedule.status === 'RUNNING';
  return (
    <tr>
      <td>
        <Tooltip label={allowed ? `The code says ${schedule.default_status.toLowerCase()}.` : reason}>
          <div style={{ display: 'inline-flex' }}>
            <Switch
              aria-label={`${schedule.name} is on`}
              checked={isOn}
              aria-disabled={!allowed}
              onChange={() => {
                if (allowed) (isOn ? stop : start).mutate({ name: schedule.name }, { onError: tellProblem });
              }}
            />
          </div>
        </Tooltip>
      </td>
      <td>
        <Link
          to="/schedules"
          search={isOpen ? {} : { name: schedule.name }}
          aria-expanded={isOpen}
          style={{ fontWeight: 600 }}
        >
          {schedule.name}
        </Link>
        <div className="dim small">{schedule.description}</div>
      </td>
      <td>
        <code className="mono">{schedule.cron}</code> <span className="dim small">{schedule.time_zone}</span>
      </td>
      <td className="small">{schedule.catch_up}</td>
      <td>
        {schedule.last_tick ? <Status of={schedule.last_tick.decision} bare /> : <span className="dim">never</span>}
        <div className="small dim">{schedule.last_tick?.reason}</div>
      </td>
      <td className="small">
        {isOn
          ? schedule.next_times.slice(0, 3).map((at) => (
              <div key={at}>
                <Time at={at} />
              </div>
            ))
          : 'stopped'}
      </td>
    </tr>
  );
}

function Ticks({ name }: { name: string }) {
  const ticks = usePages(listScheduleTicks, { name, limit: 20 });
  return (
    <Read of={ticks} lines={2}>
      {() =>
        ticks.items.length === 0 ? (
          <p className="dim">No ticks yet.</p>
        ) : (
          <>
            <table className="table">
              <thead>
                <tr>
                  <th>Time</th>
                  <th>Decision</th>
                  <th>Reason</th>
                  <th className="end">Runs</th>
                  <th className="end">Took</th>
                </tr>
              </thead>
              <tbody>
                {ticks.items.map((tick) => (
                  <tr key={tick.id}>
                    <td>
                      <Time at={tick.started_at} />
                    </td>
                    <td>
                      <Status of={tick.decision} bare />
                    </td>
                    <td>{tick.reason}</td>
                    <td className="end">{tick.requested}</td>
                    <td className="end">{tick.duration_ms === null ? '–' : formatDuration(tick.duration_ms)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            <More of={ticks} />
          </>
        )
      }
    </Read>
  );
}
