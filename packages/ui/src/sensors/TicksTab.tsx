import { Button } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';
import { Fragment } from 'react';

import { type Tick, listTicks } from '../api/generated/client.ts';
import { usePages } from '../api/use-api.ts';
import { DiffView } from '../editor/DiffView.tsx';
import type { Json } from '../editor/json.ts';
import { More } from '../parts/More.tsx';
import { Card } from '../parts/Page.tsx';
import { Empty, Read } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Time } from '../parts/Time.tsx';
import { formatDuration } from '../parts/time.ts';
import { TickStrip } from './TickStrip.tsx';

const route = getRouteApi('/sensors/$name');
const DECISIONS = ['requested', 'suppressed', 'acted', 'skipped', 'failed', 'timed_out'] as const;

export function TicksTab({ name }: { name: string }) {
  const { decision, tick: open } = route.useSearch();
  const navigate = route.useNavigate();
  const ticks = usePages(listTicks, { name, limit: 50, ...(decision ? { decision } : {}) });
  return (
    <Card
      flush
      title="Ticks"
      aside={
        <div className="row wrap">
          {DECISIONS.map((one) => (
            <button
              key={one}
              type="button"
              className="chip"
              aria-pressed={decision === one}
              onClick={() => void navigate({ search: decision === one ? {} : { decision: one }, replace: true })}
            >
              {one.replace('_', ' ')}
            </button>
          ))}
        </div>
      }
    >
      <TickStrip ticks={ticks.items} />
      <Read of={ticks}>
        {() =>
          ticks.items.length === 0 ? (
            decision ? (
              <Empty title={`No tick was “${decision.replace('_', ' ')}”.`}>
                <Button variant="default" onClick={() => void navigate({ search: {} })}>
                  Show all ticks
                </Button>
              </Empty>
            ) : (
              <Empty title="No ticks yet.">Start the sensor, or evaluate it now.</Empty>
            )
          ) : (
            <div className="table-wrap">
              <table className="table">
                <thead>
                  <tr>
                    <th>Time</th>
                    <th>Decision</th>
                    <th>Reason</th>
                    <th className="end">Runs</th>
                    <th className="end">Suppressed</th>
                    <th className="end">Took</th>
                  </tr>
                </thead>
                <tbody>
                  {ticks.items.map((tick) => (
                    <Fragment key={tick.id}>
                      <TickRow tick={tick} open={open === tick.id} />
                      {open === tick.id && <TickDetail tick={tick} />}
                    </Fragment>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Read>
      <More of={ticks} />
    </Card>
  );
}

function TickRow({ tick, open }: { tick: Tick; open: boolean }) {
  const { decision } = route.useSearch();
  return (
    <tr>
      <td className="nowrap">
        <Link
          to="/sensors/$name"
          params={{ name: tick.sensor }}
          search={{ ...(decision ? { decision } : {}), ...(open ? {} : { tick: tick.id }) }}
          aria-expanded={open}
          resetScroll={false}
        >
          <Time at={tick.started_at} />
        </Link>
      </td>
      <td>
        <Status of={tick.decision} bare />
      </td>
      <td style={{ width: '60%' }}>
        {tick.reason ? (
          <span className="two-lines" title={tick.reason}>
            {tick.reason}
          </span>
        ) : (
          <span className="dim">–</span>
        )}
      </td>
      <td className="end">{tick.requested}</td>
      <td className="end">{tick.suppressed}</td>
      <td className="end nowrap">{tick.duration_ms === null ? '–' : formatDuration(tick.duration_ms)}</td>
    </tr>
  );
}

const SHOWN_RUNS = 20;

function TickDetail({ tick }: { tick: Tick }) {
  return (
    <tr>
      <td colSpan={6} style={{ background: 'var(--raised)' }}>
        <div className="split" style={{ padding: '6px 4px' }}>
          <div className="stack tight">
            <h3 className="small">The cursor moved</h3>
            <DiffView
              before={tick.cursor_before as Json}
              after={tick.cursor_after as Json}
              same="It stayed where it was."
            />
          </div>
          <dl className="facts small">
            <dt>Tick</dt>
            <dd className="mono">{tick.id}</dd>
            <dt>Trigger</dt>
            <dd>{tick.trigger}</dd>
            <dt>Worker</dt>
            <dd>{tick.worker ?? '–'}</dd>
            <dt>Requested</dt>
            <dd>
              <RunLinks ids={tick.run_ids} />
            </dd>
            <dt>Suppressed by</dt>
            <dd>
              <RunLinks ids={tick.suppressed_run_ids} />
            </dd>
          </dl>
        </div>
      </td>
    </tr>
  );
}

function RunLinks({ ids }: { ids: readonly string[] }) {
  if (ids.length === 0) return <span className="dim">nothing</span>;
  return (
    <span className="row wrap">
      {ids.slice(0, SHOWN_RUNS).map((id) => (
        <Link key={id} to="/runs/$id" params={{ id }} className="mono" title={id}>
          {id.slice(-8)}
        </Link>
      ))}
      {ids.length > SHOWN_RUNS && <span className="dim">and {ids.length - SHOWN_RUNS} more</span>}
    </span>
  );
}
