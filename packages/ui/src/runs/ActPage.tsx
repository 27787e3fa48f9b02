import { Button, SegmentedControl, TextInput } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';

import { type MatchingRuns, countMatchingRuns } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { Act } from '../parts/Act.tsx';
import { Card, Page } from '../parts/Page.tsx';
import { Notice, ProblemNotice, Read } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Time } from '../parts/Time.tsx';
import { END, type Verb, VERBS, type Way, useBulkAct } from './use-bulk-act.ts';
import './runs.css';

const route = getRouteApi('/runs/act');
const REFUSALS_SHOWN = 50;

/**
 * An act on all runs of a query, not only of a page: counted first, then step by step. How far it is stands in the
 * address, so that it is gone on with after a reload, and shown to others.
 */
export function ActPage() {
  const { q = '', before } = route.useSearch();
  const counted = useApi(countMatchingRuns, { q });
  return (
    <Page
      title="Act on all runs that match"
      tab="act on runs"
      lead="A hundred at a time, for as long as this page is open. Stop whenever you like; every step is in the audit log."
      head={
        <Link to="/runs" search={q === '' ? {} : { q }} className="small">
          To the list
        </Link>
      }
    >
      <Card title="What matches">
        <Read of={counted} lines={3}>
          {(value) => <Counted of={value} q={q} began={before} />}
        </Read>
      </Card>
      {counted.data && <Work counted={counted.data} />}
    </Page>
  );
}

function Work({ counted }: { counted: MatchingRuns }) {
  const { q = '', do: asked, before, after, looked, done, refused } = route.useSearch();
  const navigate = route.useNavigate();
  const [reason, setReason] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const go = (way: Way) => void navigate({ search: { ...(q === '' ? {} : { q }), ...way } as never, replace: true });
  const verb = asked ?? (counted.active === 0 ? 'retry' : 'cancel');
  const way: Way = { do: verb, before, after, looked, done, refused };
  const bulk = useBulkAct(q, go);
  useEffect(() => void field.current?.focus(), []);
  const isBegun = before !== undefined;
  const isEnded = after === END;
  const because = whyNot(verb, counted, reason, isEnded);
  const begin = () => {
    if (because !== undefined || bulk.isWorking) return;
    void bulk.run(isBegun ? way : { do: verb, before: counted.as_of, looked: 0, done: 0, refused: 0 }, reason.trim());
  };
  return (
    <Card title="What to do with them">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          begin();
        }}
      >
        <SegmentedControl
          aria-label="What to do"
          value={verb}
          disabled={isBegun}
          style={{ alignSelf: 'flex-start' }}
          onChange={(next) => go({ do: next as Verb })}
          data={[
            { value: 'cancel', label: `Cancel (${counted.active.toLocaleString('en')} have not ended)` },
            { value: 'retry', label: 'Run again' },
            { value: 'retry-failed', label: 'Only failed partitions again' },
          ]}
        />
        <TextInput
          ref={field}
          label="Reason"
          description="Kept in the audit log."
          required
          maw={560}
          maxLength={1_000}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {isBegun && <Shown way={way} total={counted.count} isWorking={bulk.isWorking} isEnded={isEnded} />}
        {bulk.problem ? <ProblemNotice error={bulk.problem} /> : null}
        <div className="row">
          <Act
            type="submit"
            permission={verb === 'cancel' ? 'cancel_run' : 'launch_run'}
            variant="filled"
            color={verb === 'cancel' ? 'red' : 'blue'}
            loading={bulk.isWorking}
            because={because}
          >
            {isBegun ? 'Go on' : nameOf(verb, counted)}
          </Act>
          {bulk.isWorking && (
            <Button variant="default" onClick={bulk.stop}>
              Stop after this step
            </Button>
          )}
          {isBegun && !bulk.isWorking && (
            <Button variant="default" onClick={() => go({})}>
              Begin anew
            </Button>
          )}
        </div>
        {bulk.refused.length > 0 && <Refused of={bulk.refused} />}
      </form>
    </Card>
  );
}

function whyNot(verb: Verb, counted: MatchingRuns, reason: string, isEnded: boolean): string | undefined {
  if (isEnded) return 'It is done.';
  if (counted.count === 0) return 'No run matches.';
  if (verb === 'cancel' && counted.active === 0) return 'All of them have ended.';
  return reason.trim() === '' ? 'Say why first.' : undefined;
}

function nameOf(verb: Verb, { count, exact, active }: MatchingRuns): string {
  if (verb === 'cancel') return `Cancel ${active.toLocaleString('en')} runs`;
  return `Launch ${exact ? '' : 'over '}${count.toLocaleString('en')} runs again`;
}

function Counted({ of, q, began }: { of: MatchingRuns; q: string; began: string | undefined }) {
  return (
    <div className="stack tight">
      <p>
        <strong className="num">
          {of.exact ? '' : 'More than '}
          {of.count.toLocaleString('en')} {of.count === 1 ? 'run matches' : 'runs match'}
        </strong>{' '}
        <code className="mono">{q || 'everything'}</code>
      </p>
      <div className="row wrap">
        {Object.entries(of.by_status).map(([status, n]) => (
          <Status key={status} of={status} label={`${n.toLocaleString('en')} ${status.toLowerCase()}`} />
        ))}
      </div>
      {of.oldest_at && (
        <span className="small dim">
          Created from <Time at={of.oldest_at} /> to <Time at={of.newest_at} />.{' '}
          {began === undefined ? (
            'Runs that come later are left alone.'
          ) : (
            <>
              Runs that came after <Time at={began} /> are left alone.
            </>
          )}
        </span>
      )}
      {!of.exact && <Notice tone="warn">There are more than were counted; all of them are meant.</Notice>}
    </div>
  );
}

interface ShownProps {
  readonly way: Way;
  readonly total: number;
  readonly isWorking: boolean;
  readonly isEnded: boolean;
}

function Shown({ way: { do: verb, looked = 0, done = 0, refused = 0 }, total, isWorking, isEnded }: ShownProps) {
  const max = Math.max(total, looked, 1);
  return (
    <div className="stack tight" role="status">
      <progress className="bulk-progress" aria-label="Progress" max={max} value={isEnded ? max : looked} />
      <span className="num">
        {isEnded ? 'Done: ' : isWorking ? '' : 'Stopped: '}
        {done.toLocaleString('en')} {VERBS[verb ?? 'cancel']}
        {refused > 0 && `, ${refused.toLocaleString('en')} left as they are`}
      </span>
    </div>
  );
}

function Refused({ of }: { of: readonly { readonly run_id: string; readonly reason: string }[] }) {
  return (
    <details>
      <summary>Left as they are</summary>
      <ul className="plain small">
        {of.slice(0, REFUSALS_SHOWN).map((one) => (
          <li key={one.run_id}>
            <Link to="/runs/$id" params={{ id: one.run_id }} className="mono">
              {one.run_id.slice(-10)}
            </Link>{' '}
            {one.reason}
          </li>
        ))}
      </ul>
      {of.length > REFUSALS_SHOWN && <p className="dim small">and {of.length - REFUSALS_SHOWN} more</p>}
    </details>
  );
}
