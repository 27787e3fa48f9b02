import { Link } from '@tanstack/react-router';

import {
  type AssetDetail,
  type LaunchCheck,
  getPartition,
  getRun,
  listPools,
  listRuns,
} from '../api/generated/client.ts';
import { useAll, useApi } from '../api/use-api.ts';
import { same } from '../editor/json.ts';
import { KeyText } from '../parts/KeyText.tsx';
import { Notice, ProblemNotice } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Time } from '../parts/Time.tsx';
import { formatDuration } from '../parts/time.ts';

const SHOWN = 12;
const ON_BUSY = {
  wait: 'the run waits for them',
  join: 'the run joins the one that is at them',
  refuse: 'the launch is refused',
} as const;

/** What the server says a launch would be; nothing is changed by asking. */
export function CheckPanel({
  asset,
  job,
  config,
  check,
  isOld,
}: {
  asset: AssetDetail;
  job: string;
  config: object;
  check: { data: LaunchCheck | undefined; error: unknown; isFetching: boolean };
  isOld: boolean;
}) {
  if (check.error) return <ProblemNotice error={check.error} />;
  const { data } = check;
  if (!data)
    return <p className="dim">{check.isFetching ? 'Checking…' : 'Shown as soon as the config is a JSON object.'}</p>;
  return (
    <div
      className="stack tight"
      style={{ opacity: isOld || check.isFetching ? 0.6 : 1 }}
      role="status"
      aria-label="Result of the check"
    >
      {data.ok ? (
        <Status of="materialized" label="can be launched" />
      ) : (
        <Status of="failed" label="cannot be launched yet" />
      )}
      {data.errors.map((one) => (
        <p key={`${one.path}${one.message}`}>
          <code className="mono">{one.path}</code> {one.message}
        </p>
      ))}
      {data.ok && (
        <>
          <span>
            {data.partitions_total === 0
              ? 'The config names the scope.'
              : `${data.partitions_total.toLocaleString('en')} ${data.partitions_total === 1 ? 'partition' : 'partitions'}:`}
          </span>
          {data.partitions.slice(0, SHOWN).map((one) => (
            <span key={one.key} className="row">
              <KeyText of={one.key} max={30} />{' '}
              <Status of={one.activity === 'idle' ? one.outcome : one.activity} bare />
            </span>
          ))}
          {data.partitions_total > SHOWN && <span className="dim small">and {data.partitions_total - SHOWN} more</span>}
          {data.busy > 0 && data.on_busy && (
            <Notice tone="warn">
              {data.busy} of them are queued or running: {ON_BUSY[data.on_busy]}.
            </Notice>
          )}
          {data.rehearsal && <Notice>A rehearsal: the states of the partitions stay as they are.</Notice>}
          <Facts asset={asset} job={job} check={data} config={config} />
        </>
      )}
    </div>
  );
}

/** What past runs and the pool say of this launch. */
function Facts(props: { asset: AssetDetail; job: string; check: LaunchCheck; config: object }) {
  const { asset, job, check, config } = props;
  const past = useApi(listRuns, { job, status: 'success', limit: 100 });
  const pools = useAll(listPools, {}, { enabled: asset.pool !== null });
  const only = check.partitions_total === 1 ? check.partitions[0]?.key : undefined;
  const card = useApi(getPartition, { key: asset.key, partition: only ?? '' }, { enabled: only !== undefined });
  const lastId = card.data?.run?.id;
  const last = useApi(getRun, { id: lastId ?? '' }, { enabled: lastId !== undefined });
  const took = (past.data?.items ?? [])
    .flatMap((run) => (run.started_at && run.ended_at ? [Date.parse(run.ended_at) - Date.parse(run.started_at)] : []))
    .sort((a, b) => a - b);
  const at = (share: number) => formatDuration(took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0);
  const pool = pools.data?.items.find(({ name }) => name === asset.pool);
  const isSame = last.data?.status === 'SUCCESS' && same(last.data.config, config);
  return (
    <>
      {isSame && (
        <Notice tone="warn">
          <Link to="/runs/$id" params={{ id: last.data?.id ?? '' }}>
            The last run
          </Link>{' '}
          had the same config and succeeded <Time at={last.data?.ended_at} relative />.
        </Notice>
      )}
      <dl className="facts small">
        <dt>Usually takes</dt>
        <dd className="num">
          {took.length === 0
            ? 'no run to tell from'
            : `${at(0.5)}, 1 of 20 more than ${at(0.95)} (${took.length} runs)`}
        </dd>
        {pool && (
          <>
            <dt>Pool</dt>
            <dd>
              <Link to="/system" search={{ tab: 'pools' }}>
                {pool.name}
              </Link>
              : {Math.max(0, pool.limit - pool.used)} of {pool.limit} slots free
            </dd>
          </>
        )}
        {check.priority !== null && (
          <>
            <dt>Priority</dt>
            <dd>{check.priority}</dd>
          </>
        )}
        {asset.depends_on.length > 0 && (
          <>
            <dt>Reads</dt>
            <dd>{asset.depends_on.map((one) => one.asset).join(', ')}</dd>
          </>
        )}
        {Object.keys(check.tags).length > 0 && (
          <>
            <dt>Tags</dt>
            <dd className="mono">
              {Object.entries(check.tags).map(([name, tag]) => (
                <div key={name}>
                  <bdi>
                    {name}={tag}
                  </bdi>
                </div>
              ))}
            </dd>
          </>
        )}
      </dl>
    </>
  );
}
