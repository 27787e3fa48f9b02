import { Link, useNavigate } from '@tanstack/react-router';

import { type Run, cancelRun, retryRun } from '../api/generated/client.ts';
import { useAct } from '../api/use-api.ts';
import { Confirm } from '../parts/Confirm.tsx';
import type { RunAct } from './run-acts.ts';

const RETRIES = {
  retry: {
    title: 'Run again',
    body: {},
    words: ({ counts }: Run) => `A new run of ${partitions(counts.total)} with the same config.`,
  },
  'retry-failed': {
    title: 'Retry the failed partitions',
    body: { only_failed: true },
    words: ({ counts }: Run) => `A new run of ${partitions(counts.failed)} with the same config.`,
  },
  'from-failure': {
    title: 'Go on from where it failed',
    body: { from_failure: true },
    words: () => 'A new run of what failed and what was not reached; steps that succeeded are taken over.',
  },
} as const;

const partitions = (n: number) => (n === 1 ? 'one partition' : `${n.toLocaleString('en')} partitions`);

interface RunDialogProps {
  readonly act: RunAct;
  readonly run: Run;
  readonly onClose: () => void;
}

/** What comes of an act on a run, and the reason for it. */
export function RunDialog({ act, run, onClose }: RunDialogProps) {
  return act === 'cancel' ? (
    <CancelDialog run={run} onClose={onClose} />
  ) : (
    <RetryDialog how={act} run={run} onClose={onClose} />
  );
}

function CancelDialog({ run, onClose }: { run: Run; onClose: () => void }) {
  const cancel = useAct(cancelRun, () => 'The run is being cancelled.');
  return (
    <Confirm
      title="Cancel this run"
      verb="Cancel the run"
      dangerous
      busy={cancel.isPending}
      error={cancel.error}
      onClose={onClose}
      onConfirm={(reason) => cancel.mutate({ id: run.id, body: { reason } }, { onSuccess: onClose })}
    >
      <p>
        What is queued will not start, what runs is told to stop. {run.counts.materialized} of {run.counts.total}{' '}
        partitions are made and stay made.
      </p>
    </Confirm>
  );
}

function RetryDialog({ how, run, onClose }: { how: keyof typeof RETRIES; run: Run; onClose: () => void }) {
  const retry = useAct(retryRun, ({ run_id: id }) => `Launched again as ${id.slice(-10)}.`);
  const navigate = useNavigate();
  const { title, body, words } = RETRIES[how];
  return (
    <Confirm
      title={title}
      verb="Launch"
      busy={retry.isPending}
      error={retry.error}
      onClose={onClose}
      onConfirm={(reason) =>
        retry.mutate(
          { id: run.id, body: { ...body, reason } },
          {
            onSuccess: ({ run_id: id }) => {
              onClose();
              void navigate({ to: '/runs/$id', params: { id }, search: {} });
            },
          },
        )
      }
    >
      <p>
        {words(run)} To change the config first, open it{' '}
        <Link to="/launch" search={{ job: run.job, from_run: run.id }}>
          on the launchpad
        </Link>
        .
      </p>
    </Confirm>
  );
}
