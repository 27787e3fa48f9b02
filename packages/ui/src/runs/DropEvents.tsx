import { getRouteApi } from '@tanstack/react-router';

import { ApiError, operation } from '../api/operation.ts';
import { useApi } from '../api/use-api.ts';
import { DataTable } from '../parts/DataTable.tsx';
import { Json } from '../parts/Json.tsx';
import { Read } from '../parts/States.tsx';
import { Time } from '../parts/Time.tsx';
import type { DropReason } from './result.ts';

interface RawEvent {
  readonly raw_event_id: string;
  readonly environment_id: string;
  readonly external_customer_id: string;
  readonly event_name: string;
  readonly timestamp: string;
  readonly payload: string;
}

interface Drops {
  readonly drops: readonly { readonly reason: string; readonly count: number; readonly events: readonly RawEvent[] }[];
}

/** Of the raw events' family: it comes from the deployment, so it stands in no generated client. */
const listDrops = operation<{ run: string }, Drops>('listDrops', 'GET', '/api/v1/events/raw/reprocess/{run}/drops', []);

const route = getRouteApi('/runs/$id');

/** The raw events behind a drop reason, with their payloads. Of a job without that route, the ids that it recorded. */
export function DropEvents({ run, reason }: { run: string; reason: DropReason }) {
  const drops = useApi(listDrops, { run });
  const isUnknown = drops.error instanceof ApiError && drops.error.problem.status === 404;
  if (isUnknown) return <Examples of={reason.examples} />;
  return (
    <Read of={drops} lines={3}>
      {(value) => <Events of={value.drops.find((drop) => drop.reason === reason.name)?.events ?? []} reason={reason} />}
    </Read>
  );
}

function Events({ of, reason }: { of: readonly RawEvent[]; reason: DropReason }) {
  const { event: open } = route.useSearch();
  const navigate = route.useNavigate();
  if (of.length === 0) {
    return (
      <>
        <p className="dim">ClickHouse no longer holds the raw events that this run dropped.</p>
        <Examples of={reason.examples} />
      </>
    );
  }
  return (
    <>
      {of.length < reason.count && (
        <p className="dim">
          {of.length} of {reason.count.toLocaleString('en')}
        </p>
      )}
      <DataTable
        rows={of}
        keyOf={keyOf}
        detail={(one) => open === keyOf(one) && <Payload of={one.payload} />}
        columns={[
          {
            name: 'Raw event',
            cell: (one) => (
              <button
                type="button"
                className="reason mono"
                aria-expanded={open === keyOf(one)}
                onClick={() =>
                  void navigate({
                    search: (all) => ({ ...all, event: open === keyOf(one) ? undefined : keyOf(one) }) as typeof all,
                    replace: true,
                    resetScroll: false,
                  })
                }
              >
                <bdi>{one.raw_event_id}</bdi>
              </button>
            ),
          },
          { name: 'Customer', cell: (one) => <bdi>{one.external_customer_id}</bdi> },
          { name: 'Event name', cell: (one) => <bdi>{one.event_name}</bdi> },
          { name: 'Environment', cell: (one) => <bdi>{one.environment_id}</bdi> },
          { name: 'At', isNowrap: true, cell: (one) => <Time at={one.timestamp} /> },
        ]}
      />
    </>
  );
}

/** The same id may stand on several days and under several customers. */
function keyOf(one: RawEvent): string {
  return [one.raw_event_id, one.environment_id, one.external_customer_id, one.event_name, one.timestamp].join(' ');
}

/** Indented where it is JSON; as it is where it is not, for that may be what is wrong with it. */
function Payload({ of }: { of: string }) {
  let parsed: unknown;
  try {
    parsed = JSON.parse(of);
  } catch {
    return (
      <pre tabIndex={0} aria-label="Payload">
        {of}
      </pre>
    );
  }
  return <Json of={parsed} />;
}

function Examples({ of }: { of: readonly string[] }) {
  if (of.length === 0) return null;
  return (
    <p className="row wrap">
      <span className="dim">For example</span>
      {of.map((example) => (
        <code key={example} className="mono">
          {example}
        </code>
      ))}
    </p>
  );
}
