import { Button, SegmentedControl, Textarea } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';

import { Dialog } from '../parts/Dialog.tsx';
import { type BulkStep, type MatchingRuns, cancelRuns, countMatchingRuns, retryRuns } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { Act } from '../parts/Act.tsx';
import { Notice, ProblemNotice, Read } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Time } from '../parts/Time.tsx';

type Verb = 'cancel' | 'retry' | 'retry-failed';

interface Progress {
  readonly looked: number;
  readonly done: number;
  readonly refused: readonly { readonly run_id: string; readonly reason: string }[];
  readonly state: 'working' | 'stopped' | 'ended';
}

const PAGE = 100;
const REFUSALS_SHOWN = 5;

/** All runs of a query, not only the page: counted first, then step by step, and stopped whenever one likes. */
export function BulkDialog({ q, onClose }: { q: string; onClose: () => void }) {
  const counted = useApi(countMatchingRuns, { q });
  const cache = useQueryClient();
  const [chosen, setVerb] = useState<Verb>();
  const verb = chosen ?? (counted.data?.active === 0 ? 'retry' : 'cancel');
  const [reason, setReason] = useState('');
  const [progress, setProgress] = useState<Progress>();
  const [problem, setProblem] = useState<unknown>();
  const isStopped = useRef(false);
  const isWorking = progress?.state === 'working';

  const run = async ({ as_of: before }: MatchingRuns) => {
    isStopped.current = false;
    setProblem(undefined);
    let [looked, done] = [0, 0];
    let after: string | undefined;
    const refused: { run_id: string; reason: string }[] = [];
    const show = (state: Progress['state']) => setProgress({ looked, done, refused: [...refused], state });
    show('working');
    try {
      for (;;) {
        const body = { q, before, reason: reason.trim(), limit: PAGE, ...(after === undefined ? {} : { after }) };
        const step: BulkStep =
          verb === 'cancel'
            ? await cancelRuns({ body })
            : await retryRuns({ body: { ...body, only_failed: verb === 'retry-failed' } });
        looked += step.matched;
        done += step.done;
        refused.push(...step.refused);
        after = step.next ?? undefined;
        if (after === undefined) return show('ended');
        if (isStopped.current) return show('stopped');
        show('working');
      }
    } catch (error) {
      setProblem(error);
      show('stopped');
    } finally {
      void cache.invalidateQueries();
    }
  };

  return (
    <Dialog
      onClose={() => {
        if (!isWorking) onClose();
      }}
      title="Act on all runs that match"
    >
      <Read of={counted} lines={3}>
        {(value) => (
          <div className="stack">
            <Counted of={value} q={q} />
            <SegmentedControl
              aria-label="What to do"
              value={verb}
              disabled={isWorking}
              onChange={(next) => setVerb(next as Verb)}
              data={[
                { value: 'cancel', label: `Cancel (${value.active.toLocaleString('en')} have not ended)` },
                { value: 'retry', label: 'Run again' },
                { value: 'retry-failed', label: 'Only failed partitions again' },
              ]}
            />
            <Textarea
              label="Reason"
              description="Kept in the audit log."
              required
              data-autofocus
              rows={2}
              maxLength={1_000}
              value={reason}
              onChange={(event) => setReason(event.currentTarget.value)}
            />
            {progress && <Shown of={progress} total={value.count} verb={verb} />}
            {problem ? <ProblemNotice error={problem} /> : null}
            <div className="row" style={{ justifyContent: 'flex-end' }}>
              {isWorking ? (
                <Button variant="default" onClick={() => (isStopped.current = true)}>
                  Stop after this step
                </Button>
              ) : (
                <Button variant="default" onClick={onClose}>
                  {progress ? 'Close' : 'Leave them as they are'}
                </Button>
              )}
              <Act
                permission={verb === 'cancel' ? 'cancel_run' : 'launch_run'}
                variant="filled"
                color={verb === 'cancel' ? 'red' : 'blue'}
                loading={isWorking}
                because={
                  value.count === 0
                    ? 'No run matches.'
                    : verb === 'cancel' && value.active === 0
                      ? 'All of them have ended.'
                      : reason.trim() === ''
                        ? 'Say why first.'
                        : undefined
                }
                onAct={() => void run(value)}
              >
                {verb === 'cancel'
                  ? `Cancel ${value.active.toLocaleString('en')} runs`
                  : `Launch ${value.exact ? '' : 'over '}${value.count.toLocaleString('en')} runs again`}
              </Act>
            </div>
          </div>
        )}
      </Read>
    </Dialog>
  );
}

function Counted({ of, q }: { of: MatchingRuns; q: string }) {
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
          Created from <Time at={of.oldest_at} /> to <Time at={of.newest_at} />. Runs that come later are left alone.
        </span>
      )}
      {!of.exact && <Notice tone="warn">There are more than were counted; all of them are meant.</Notice>}
    </div>
  );
}

function Shown({ of, total, verb }: { of: Progress; total: number; verb: Verb }) {
  const word = verb === 'cancel' ? 'told to stop' : 'launched again';
  return (
    <div className="stack tight" role="status">
      <progress
        className="bulk-progress"
        aria-label="Progress"
        max={Math.max(total, of.looked, 1)}
        value={of.state === 'ended' ? Math.max(total, of.looked, 1) : of.looked}
      />
      <span className="num">
        {of.state === 'ended' ? 'Done: ' : of.state === 'stopped' ? 'Stopped: ' : ''}
        {of.done.toLocaleString('en')} {word}
        {of.refused.length > 0 && `, ${of.refused.length.toLocaleString('en')} left as they are`}
      </span>
      {of.refused.slice(0, REFUSALS_SHOWN).map((one) => (
        <span key={one.run_id} className="small dim">
          <span className="mono">{one.run_id.slice(-10)}</span> {one.reason}
        </span>
      ))}
    </div>
  );
}
