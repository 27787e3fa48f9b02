import { getRouteApi } from '@tanstack/react-router';

import { type System, getSystem } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { formatBytes } from '../parts/bytes.ts';
import { Card, Page } from '../parts/Page.tsx';
import { Empty, Notice, Read } from '../parts/States.tsx';
import { Tabs } from '../parts/Tabs.tsx';
import { Time } from '../parts/Time.tsx';
import { formatDuration } from '../parts/time.ts';
import { AuditTab } from './AuditTab.tsx';
import { PoolsTab } from './PoolsTab.tsx';
import { TokensTab } from './TokensTab.tsx';

const route = getRouteApi('/system');
const TABS = [
  ['workers', 'Workers and queues'],
  ['pools', 'Pools'],
  ['audit', 'Audit log'],
  ['tokens', 'Tokens'],
] as const;
const REREAD_MS = 5_000;

export function SystemPage() {
  const { tab = 'workers' } = route.useSearch();
  return (
    <Page title="System">
      <Tabs
        label="Of the installation"
        tabs={TABS.map(([key, name]) => ({ name, active: tab === key, link: { to: '/system', search: { tab: key } } }))}
      />
      {tab === 'workers' && <Workers />}
      {tab === 'pools' && <PoolsTab />}
      {tab === 'audit' && <AuditTab />}
      {tab === 'tokens' && <TokensTab />}
    </Page>
  );
}

function Workers() {
  const system = useApi(getSystem, {}, { refetchInterval: REREAD_MS });
  return (
    <Read of={system}>
      {(value) => (
        <>
          {value.warnings.map((warning) => (
            <Notice key={warning} tone="warn">
              {warning}
            </Notice>
          ))}
          <WorkerTable system={value} />
          <div className="split">
            <Redis system={value} />
            <Queues system={value} />
          </div>
        </>
      )}
    </Read>
  );
}

function WorkerTable({ system }: { system: System }) {
  return (
    <Card flush title="Workers">
      {system.workers.length === 0 ? (
        <Empty title="No worker is alive.">
          Start one: <code className="mono">skein worker --concurrency 8</code>
        </Empty>
      ) : (
        <div className="table-wrap">
          <table className="table">
            <thead>
              <tr>
                <th>Worker</th>
                <th>Host</th>
                <th className="end">Process</th>
                <th className="end">Slots in use</th>
                <th className="end">Memory</th>
                <th>Last heard of</th>
              </tr>
            </thead>
            <tbody>
              {system.workers.map((worker) => (
                <tr key={worker.id}>
                  <td className="mono">{worker.id}</td>
                  <td>{worker.host}</td>
                  <td className="end">{worker.pid}</td>
                  <td className="end">
                    {worker.active} of {worker.concurrency}
                  </td>
                  <td className="end">{formatBytes(worker.rss_bytes)}</td>
                  <td>
                    <Time at={worker.last_heard_at} relative />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

function Redis({ system: { redis, clock_skew_ms: skew, server } }: { system: System }) {
  const facts: readonly (readonly [string, string])[] = [
    ['Redis', redis.version],
    [
      'Memory',
      `${formatBytes(redis.used_memory_bytes)}${redis.max_memory_bytes > 0 ? ` of ${formatBytes(redis.max_memory_bytes)}` : ', no limit'}`,
    ],
    ['Eviction', redis.policy],
    ['Append-only file', redis.aof ? `on, fsync ${redis.aof_fsync || 'unknown'}` : 'off'],
    ['Keys', redis.keys.toLocaleString('en')],
    ['Clients', String(redis.connected_clients)],
    ['Commands a second', redis.ops_per_second.toLocaleString('en')],
    ['Up for', formatDuration(redis.uptime_seconds * 1_000)],
    ['Version of the state', String(redis.state_version)],
    ['Clock against ours', `${skew} ms`],
    [
      'This server',
      `process ${server.pid}, Node ${server.node}, ${formatBytes(server.rss_bytes)}, up for ${formatDuration(server.uptime_seconds * 1_000)}`,
    ],
  ];
  return (
    <Card title="Redis and this server">
      <dl className="facts">
        {facts.map(([name, value]) => (
          <Fact key={name} name={name} value={value} />
        ))}
      </dl>
    </Card>
  );
}

function Queues({ system: { queues, listeners, auth_mode: mode } }: { system: System }) {
  const bells = Object.entries(queues.bells).map(
    ([name, counts]) =>
      [
        `Queue ${name}`,
        Object.entries(counts)
          .map(([state, n]) => `${n} ${state}`)
          .join(', '),
      ] as const,
  );
  const waiting = queues.queued.map(
    (one) =>
      [
        `Pool ${one.pool || 'none'}, priority ${one.priority}`,
        `${one.units.toLocaleString('en')} units in ${one.lanes} lanes`,
      ] as const,
  );
  const facts: readonly (readonly [string, string])[] = [
    ['Leases', queues.leases.toLocaleString('en')],
    ['Outbox', `${queues.outbox.toLocaleString('en')}, the oldest waits ${formatDuration(queues.oldest_outbox_ms)}`],
    ['Delayed', queues.delayed.toLocaleString('en')],
    ['Cancelling', queues.cancelling.toLocaleString('en')],
    ...bells,
    ...waiting,
    ['Listening dashboards', String(listeners)],
    ['Sign-in', mode],
  ];
  return (
    <Card title="Queues">
      <dl className="facts">
        {facts.map(([name, value]) => (
          <Fact key={name} name={name} value={value} />
        ))}
      </dl>
    </Card>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd className="num">{value}</dd>
    </>
  );
}
