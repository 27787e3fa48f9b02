import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import { type Pool, listPools, resetPool, setPool } from '../api/generated/client.ts';
import { tellProblem, useAct, useApi } from '../api/use-api.ts';
import { Act } from '../parts/Act.tsx';
import { Card } from '../parts/Page.tsx';
import { Empty, Read } from '../parts/States.tsx';
import { NumberInput } from '../parts/fields.ts';

const BY = {
  set: 'a person’s',
  probe: 'breathes: its destination’s',
  definition: 'the definition’s',
  default: 'the usual one',
} as const;

/** How many attempts share a name at once. The limit counts from the moment it is set. */
export function PoolsTab() {
  const pools = useApi(listPools, {});
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
                    <PoolRow key={`${pool.name} ${pool.limit}`} pool={pool} />
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
  const [limit, setLimit] = useState(pool.limit);
  const set = useAct(setPool, ({ name, limit: now }) => `${name}: ${now} at once from now on.`);
  const reset = useAct(resetPool, ({ name, limit: now }) => `${name}: back to ${now}.`);
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
            onChange={(value) => setLimit(typeof value === 'number' ? value : 0)}
          />
          <Act
            permission="set_pool"
            because={limit === pool.limit ? 'That is the limit now.' : undefined}
            onAct={() => set.mutate({ name: pool.name, body: { limit } }, { onError: tellProblem })}
          >
            Set
          </Act>
          <Act
            permission="set_pool"
            because={pool.set_limit === null ? 'Nobody has set it.' : undefined}
            onAct={() => reset.mutate({ name: pool.name }, { onError: tellProblem })}
          >
            Reset
          </Act>
        </div>
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
