import { Button } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';

import { type Tick, getTick, listTicks } from '../api/generated/client.ts';
import { useApi, usePages } from '../api/use-api.ts';
import { given } from '../app/search.ts';
import { differences } from '../editor/diff.ts';
import { type Json, formatPath } from '../editor/json.ts';
import { PagedTable } from '../parts/DataTable.tsx';
import { Card } from '../parts/Page.tsx';
import { Empty, Read } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Time } from '../parts/Time.tsx';
import { formatDuration } from '../parts/time.ts';
import { useNow } from '../parts/use-now.ts';
import { TickDetail } from './TickDetail.tsx';
import { TickTimeline } from './TickTimeline.tsx';
import { readRange } from './range.ts';

const route = getRouteApi('/sensors/$name');
const DECISIONS = ['requested', 'suppressed', 'acted', 'skipped', 'failed', 'timed_out'] as const;
const MINUTE_MS = 60_000;

/** The ticks over time and as a list; range, decision and the opened tick stand in the address. */
export function TicksTab({ name }: { name: string }) {
  const { status, range, tick: open } = route.useSearch();
  const navigate = route.useNavigate();
  const ticks = usePages(listTicks, {
    name,
    limit: 50,
    ...given({ decision: status }),
    ...useBounds(range),
  });
  const go = (next: { status?: typeof status | undefined; range?: string | undefined; tick?: string | undefined }) =>
    void navigate({ search: given({ status, range, tick: open, ...next }), replace: true, resetScroll: false });
  const isElsewhere = open !== undefined && ticks.data !== undefined && !ticks.items.some(({ id }) => id === open);
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
              aria-pressed={status === one}
              onClick={() => go({ status: status === one ? undefined : one })}
            >
              {one.replace('_', ' ')}
            </button>
          ))}
        </div>
      }
    >
      <TickTimeline name={name} range={range} onRange={(next) => go({ range: next })} />
      {isElsewhere && <Elsewhere name={name} id={open} onClose={() => go({ tick: undefined })} />}
      <PagedTable
        pages={ticks}
        keyOf={({ id }) => id}
        detail={(tick) => open === tick.id && <TickDetail tick={tick} />}
        none={
          status || range ? (
            <Empty
              title={`No tick${status ? ` was “${status.replace('_', ' ')}”` : ''}${range ? ' in this range' : ''}.`}
            >
              <Button variant="default" onClick={() => void navigate({ search: {} })}>
                Show all ticks
              </Button>
            </Empty>
          ) : (
            <Empty title="No ticks yet.">Start the sensor, or evaluate it now.</Empty>
          )
        }
        columns={[
          {
            name: 'Time',
            isNowrap: true,
            cell: (tick) => (
              <Link
                to="/sensors/$name"
                params={{ name }}
                search={given({ status, range, tick: open === tick.id ? undefined : tick.id })}
                aria-expanded={open === tick.id}
                resetScroll={false}
              >
                <Time at={tick.started_at} />
              </Link>
            ),
          },
          { name: 'Decision', isNowrap: true, cell: (tick) => <Status of={tick.decision} bare /> },
          { name: 'Reason', className: 'said', cell: (tick) => <Reason of={tick.reason} /> },
          { name: 'Runs', isEnd: true, cell: (tick) => tick.requested },
          { name: 'Suppressed', isEnd: true, cell: (tick) => tick.suppressed },
          { name: 'Cursor', className: 'small', cell: (tick) => <Moved tick={tick} /> },
          {
            name: 'Took',
            isEnd: true,
            isNowrap: true,
            cell: (tick) => (tick.duration_ms === null ? '–' : formatDuration(tick.duration_ms)),
          },
        ]}
      />
    </Card>
  );
}

/** Of a relative range to the minute, so that the list is not asked for anew every second. */
function useBounds(range: string | undefined): { from?: string; to?: string } {
  const isRelative = readRange(range, 0)?.isRelative === true;
  const minute = Math.floor((useNow(isRelative ? 1_000 : 0) || Date.now()) / MINUTE_MS) * MINUTE_MS;
  const read = readRange(range, minute);
  if (!read) return {};
  const from = new Date(read.fromMs).toISOString();
  return read.isRelative ? { from } : { from, to: new Date(read.toMs).toISOString() };
}

/** A tick that was linked to and is not among those listed. */
function Elsewhere({ name, id, onClose }: { name: string; id: string; onClose: () => void }) {
  const tick = useApi(getTick, { name, tick: id });
  return (
    <div className="body" style={{ borderBottom: '1px solid var(--line-soft)' }}>
      <Read of={tick} lines={3}>
        {(value) => (
          <>
            <div className="row wrap">
              <strong>
                <Time at={value.started_at} />
              </strong>
              <Status of={value.decision} bare />
              <span className="grow" />
              <Button size="compact-xs" variant="default" onClick={onClose}>
                Close
              </Button>
            </div>
            <TickDetail tick={value} />
          </>
        )}
      </Read>
    </div>
  );
}

function Reason({ of }: { of: string }) {
  if (of === '') return <span className="dim">–</span>;
  return (
    <span className="two-lines" title={of}>
      {of}
    </span>
  );
}

const SHOWN_CHARACTERS = 24;

/** The first field that moved, from where to where; the opened tick has all of them. */
function Moved({ tick }: { tick: Tick }) {
  const moved = tick.cursor_after === null ? [] : differences(tick.cursor_before as Json, tick.cursor_after as Json);
  const [first] = moved;
  if (!first) return <span className="dim">–</span>;
  const short = (value: Json | undefined) => {
    const text = value === undefined ? '–' : JSON.stringify(value);
    return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
  };
  return (
    <span className="clip" style={{ display: 'block', maxWidth: 260 }}>
      <span className="dim">{formatPath(first.path)}</span>{' '}
      <span className="mono">
        {short(first.before)} → {short(first.after)}
      </span>
      {moved.length > 1 && <span className="dim"> +{moved.length - 1}</span>}
    </span>
  );
}
