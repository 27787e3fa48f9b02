import { Button } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';

import type { RunWithPartitions } from '../api/generated/client.ts';
import { DataTable } from '../parts/DataTable.tsx';
import { Card } from '../parts/Page.tsx';
import { Notice } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { DropEvents } from './DropEvents.tsx';
import {
  type Bar,
  type Verification,
  dropReasonsOf,
  failedTeamsOf,
  orphanCategoriesOf,
  rawCountersOf,
  teamsOf,
  verificationsOf,
} from './result.ts';
import './result.css';

const route = getRouteApi('/runs/$id');
/** Seconds of ClickHouse data that one query reads, for teams that are too large for a single one. */
const WINDOW_SECONDS = 3_600;

/** A result as its job means it; nothing where the result has no such shape. */
export function JobResult({ run }: { run: RunWithPartitions }) {
  const result = run.result ?? {};
  return (
    <>
      <Teams run={run} result={result} />
      <Orphans result={result} />
      <RawEvents run={run} result={result} />
      {verificationsOf(result).map((one, i) => (
        <Labels key={i} of={one} />
      ))}
    </>
  );
}

type Facts = Readonly<Record<string, unknown>>;

function Teams({ run, result }: { run: RunWithPartitions; result: Facts }) {
  const teams = teamsOf(result);
  const failed = failedTeamsOf(result);
  if (teams.length === 0 && failed.length === 0) return null;
  const config = { team_ids: failed, team_ch_props_fetch_window_seconds: WINDOW_SECONDS };
  return (
    <Card
      flush
      title={`Teams, ${failed.length === 0 ? 'none failed' : `${failed.length} failed`}`}
      aside={
        failed.length > 0 && (
          <Button
            component={Link}
            to="/launch"
            search={{ job: run.job, from_run: run.id, config: JSON.stringify(config) } as never}
          >
            Relaunch failed in windowed mode…
          </Button>
        )
      }
    >
      {failed.length > teams.length && <p className="table-note">Failed: {failed.slice(0, 50).join(', ')}</p>}
      <DataTable
        rows={teams}
        keyOf={({ team }) => String(team)}
        columns={[
          { name: 'Team', cell: ({ team }) => <span className="num">{team}</span> },
          {
            name: 'Status',
            cell: ({ status }) => <Status of={status === 'success' ? 'SUCCESS' : 'FAILURE'} label={status} bare />,
          },
          { name: 'Processed', isEnd: true, cell: (one) => one.processed.toLocaleString('en') },
          { name: 'Updated', isEnd: true, cell: (one) => one.updated.toLocaleString('en') },
          { name: 'Skipped', isEnd: true, cell: (one) => one.skipped.toLocaleString('en') },
          { name: 'Error', className: 'small', cell: ({ error }) => error && <span className="bad">{error}</span> },
        ]}
      />
    </Card>
  );
}

function Orphans({ result }: { result: Facts }) {
  const categories = orphanCategoriesOf(result);
  if (categories.length === 0) return null;
  const total = Number(result.total_orphaned_persons);
  return (
    <Card title={`${total.toLocaleString('en')} orphaned persons`}>
      <div className="stack">
        {result.dry_run === true && <Notice>A dry run: nothing was written.</Notice>}
        <Bars of={categories} total={total} />
      </div>
    </Card>
  );
}

function RawEvents({ run, result }: { run: RunWithPartitions; result: Facts }) {
  const counters = rawCountersOf(result);
  const reasons = dropReasonsOf(result);
  const { drop: open } = route.useSearch();
  const navigate = route.useNavigate();
  if (counters.length === 0) return null;
  const dropped = reasons.reduce((sum, { count }) => sum + count, 0);
  const shown = reasons.find(({ name }) => name === open);
  return (
    <>
      <div className="split">
        <Card title="Events">
          <Bars of={counters} total={counters[0]?.count ?? 0} />
        </Card>
        <Card title={`Dropped, by reason: ${dropped.toLocaleString('en')}`}>
          {reasons.length === 0 && <p className="dim">Nothing was dropped.</p>}
          <div className="stack tight">
            {reasons.map((reason) => (
              <button
                key={reason.name}
                type="button"
                className="reason"
                aria-expanded={shown === reason}
                onClick={() =>
                  void navigate({
                    search: { tab: 'config', ...(shown === reason ? {} : { drop: reason.name }) },
                    replace: true,
                    resetScroll: false,
                  })
                }
              >
                <Bars of={[reason]} total={dropped} />
              </button>
            ))}
          </div>
        </Card>
      </div>
      {shown && (
        <Card
          title={`Dropped: ${shown.name.replaceAll('_', ' ')}`}
          aside={
            <Link to="/runs/$id" params={{ id: run.id }} search={{ tab: 'log', find: shown.name }}>
              Find it in the log
            </Link>
          }
        >
          <DropEvents run={run.id} reason={shown} />
        </Card>
      )}
    </>
  );
}

function Labels({ of }: { of: Verification }) {
  const most = Math.max(1, ...of.usecases.flatMap(({ before, after, source }) => [before, after, source]));
  return (
    <>
      <Card
        flush
        title="Labels by usecase"
        aside={<Status of={of.passed ? 'SUCCESS' : 'FAILURE'} label={of.passed ? 'verified' : 'differs'} />}
      >
        {of.usecases.length === 0 && <p className="table-note">This slice had no conversation.</p>}
        {of.usecases.length > 0 && (
          <DataTable
            rows={[...of.usecases, ...(of.activeDays ? [{ name: 'Active Days', ...of.activeDays }] : [])]}
            keyOf={({ name }) => name}
            columns={[
              {
                name: 'Usecase',
                cell: ({ name }) => <bdi className={name === 'Active Days' ? 'strong' : ''}>{name || '(none)'}</bdi>,
              },
              ...(['before', 'after', 'source'] as const).map((side) => ({
                name: side,
                cell: (one: { readonly [K in typeof side]: number }) => (
                  <span className="side-bar" data-side={side}>
                    <i style={{ width: `${(60 * one[side]) / most}%` }} />
                    <span className="num">{one[side].toLocaleString('en')}</span>
                  </span>
                ),
              })),
              {
                name: 'after − source',
                isEnd: true,
                cell: ({ after, source }) =>
                  after === source ? <span className="dim">0</span> : <strong className="bad">{after - source}</strong>,
              },
            ]}
          />
        )}
      </Card>
      <Card title="What was verified">
        <ul className="plain points">
          {of.points.map(({ name, passed, description }) => (
            <li key={name}>
              <Status of={passed ? 'SUCCESS' : 'FAILURE'} label={name.replaceAll('_', ' ')} bare />{' '}
              <span className="dim">{description}</span>
            </li>
          ))}
        </ul>
      </Card>
    </>
  );
}

/** Named counts with their share. */
function Bars({ of, total }: { of: readonly Bar[]; total: number }) {
  return (
    <span className="counts">
      {of.map(({ name, count }) => (
        <span key={name} className="count-line">
          <span>{name.replaceAll('_', ' ')}</span>
          <span className="count-bar" aria-hidden>
            <i style={{ width: `${total === 0 ? 0 : Math.min(100, (100 * count) / total)}%` }} />
          </span>
          <span className="num">{count.toLocaleString('en')}</span>
        </span>
      ))}
    </span>
  );
}
