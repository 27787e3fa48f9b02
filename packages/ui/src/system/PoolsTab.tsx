import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import { type Pool, type RunLimit, listPools, listRunLimits, resetPool, setPool } from '../api/generated/client.ts';
import { conflictOf, etag } from '../api/conflict.ts';
import { tellProblem, useAct, useAll, useApi } from '../api/use-api.ts';
import { Act } from '../parts/Act.tsx';
import { Conflict } from '../parts/Conflict.tsx';
import { DataTable } from '../parts/DataTable.tsx';
import { Card } from '../parts/Page.tsx';
import { Empty, Read } from '../parts/States.tsx';
import { NumberInput } from '../parts/fields.ts';

const BY = {
  set: 'a person’s',
  probe: 'breathes: its destination’s',
  definition: 'the definition’s',
  default: 'the usual one',
} as const;

export function PoolsTab() {
  return (
    <div className="stack">
      <Pools />
      <RunLimits />
    </div>
  );
}

/** How many attempts share a name at once. The limit counts from the moment it is set. */
function Pools() {
  const pools = useAll(listPools, {});
  return (
    <Card flush title="Pools">
      <Read of={pools}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No asset uses a pool.">
              Give an asset “pool” in its definition to bound how many of it run at once.
            </Empty>
          ) : (
            <div className="table-wrap">
              <table className="table">
                <thead>
                  <tr>
                    <th>Pool</th>
                    <th>Assets</th>
                    <th className="end">In use</th>
                    <th>Limit</th>
                    <th>Whose limit, and why</th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((pool) => (
                    <PoolRow key={pool.name} pool={pool} />
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Read>
    </Card>
  );
}

function PoolRow({ pool }: { pool: Pool }) {
  // What it builds on is what was shown when it was touched first.
  const [edited, setEdited] = useState<Pick<Pool, 'limit' | 'version'>>();
  const { limit, version } = edited ?? pool;
  const set = useAct(setPool, ({ name, limit: now }) => `${name}: ${now} at once from now on.`);
  const reset = useAct(resetPool, ({ name, limit: now }) => `${name}: back to ${now}.`);
  const theirs = conflictOf<Pool>(set.error);
  const discard = () => {
    setEdited(undefined);
    set.reset();
  };
  const save = (onto: number) =>
    set.mutate(
      { name: pool.name, body: { limit }, ifMatch: etag(onto) },
      { onError: (error) => conflictOf(error) ?? tellProblem(error), onSuccess: () => setEdited(undefined) },
    );
  return (
    <tr>
      <td style={{ fontWeight: 600 }}>{pool.name}</td>
      <td className="small">
        {pool.assets.map((key) => (
          <div key={key}>
            <Link to="/assets/$key" params={{ key }}>
              {key}
            </Link>
          </div>
        ))}
      </td>
      <td className="end">
        {pool.used} of {pool.limit}
      </td>
      <td>
        <div className="row">
          <NumberInput
            aria-label={`Limit of ${pool.name}`}
            w={80}
            min={0}
            max={100_000}
            value={limit}
            onChange={(value) => setEdited({ version, limit: typeof value === 'number' ? value : 0 })}
          />
          <Act
            permission="set_pool"
            because={limit === pool.limit ? 'That is the limit now.' : undefined}
            onAct={() => save(version)}
          >
            Set
          </Act>
          <Act
            permission="set_pool"
            because={pool.set_limit === null ? 'Nobody has set it.' : undefined}
            onAct={() =>
              reset.mutate(
                { name: pool.name, ifMatch: etag(pool.version) },
                { onError: tellProblem, onSuccess: () => setEdited(undefined) },
              )
            }
          >
            Reset
          </Act>
        </div>
        {theirs && (
          <Conflict
            fields={[{ name: 'Limit', mine: String(limit), theirs: String(theirs.current.limit) }]}
            busy={set.isPending}
            onOverwrite={() => save(theirs.version)}
            onDiscard={discard}
          />
        )}
      </td>
      <td className="small">
        {BY[pool.limit_by]}
        {pool.limit_by !== 'definition' &&
          pool.limit_by !== 'default' &&
          ` over ${pool.default_limit} of the definition`}
        {pool.bounds && `, between ${pool.bounds.min} and ${pool.bounds.max}`}
        {pool.reason !== '' && (
          <div className="dim two-lines" title={pool.reason}>
            {pool.reason}
          </div>
        )}
      </td>
    </tr>
  );
}

/** How many runs of a job, or with a tag, may be at work; definitions say so. */
function RunLimits() {
  const limits = useApi(listRunLimits, {});
  return (
    <Card flush title="Runs at once">
      <Read of={limits}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No limit of runs.">
              Give a job “maxActiveRuns”, or the deployment “tagLimits”, to bound how many runs are at work at once.
            </Empty>
          ) : (
            <DataTable
              rows={items}
              keyOf={({ kind, name, value }) => `${kind} ${name} ${value ?? ''}`}
              columns={[
                { name: 'Runs', cell: (limit) => <LimitedRuns of={limit} /> },
                { name: 'Limit', isEnd: true, cell: ({ limit }) => limit },
                {
                  name: 'In use',
                  isEnd: true,
                  cell: (limit) => slotTexts(limit, ({ used }) => `${used} of ${limit.limit}`),
                },
                { name: 'Waiting', isEnd: true, cell: (limit) => slotTexts(limit, ({ waiting }) => String(waiting)) },
              ]}
            />
          )
        }
      </Read>
    </Card>
  );
}

function LimitedRuns({ of }: { of: RunLimit }) {
  const { kind, name, value, per_value: isEach } = of;
  const q = kind === 'job' ? `job:"${name}"` : value === null ? undefined : `tag:"${name}=${value}"`;
  const words = kind === 'job' ? name : `${isEach ? 'each ' : ''}${name}${value === null ? '' : `=${value}`}`;
  return (
    <>
      <span className="dim small">{kind === 'job' ? 'of the job' : 'with the tag'} </span>
      {q === undefined ? (
        words
      ) : (
        <Link to="/runs" search={{ q }}>
          {words}
        </Link>
      )}
    </>
  );
}

/** Of a limit for each value of a tag, only those that runs wait for are known. */
function slotTexts({ slots, per_value: isEach }: RunLimit, textOf: (slot: RunLimit['slots'][number]) => string) {
  if (slots.length === 0) return <span className="dim">none waits</span>;
  return slots.map((slot) => (
    <div key={slot.slot}>
      {isEach && <span className="dim small">{slot.slot.slice(slot.slot.indexOf('=') + 1)} </span>}
      {textOf(slot)}
    </div>
  ));
}
